import type { ResilienceException } from '../../errors/resilience.exception.js';
import type { CircuitState } from '../../events/resilience-event.js';
import type { Attempt, WaitingRoom } from '../../kernel/attempt.js';
import { toMatcher, type Matcher } from '../../kernel/error-match.js';
import type { LatencyHistogram } from '../../kernel/latency-histogram.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { Advice, OpenedBy } from './advice.js';
import { BreakerEvents } from './breaker-events.js';
import type { BreakerInit } from './breaker-init.js';
import type { BreakerStats } from './breaker-stats.js';
import { MAX_RETRY_AFTER_MS, type ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import { Control, type ControlSource, type ControlWord } from './control.js';
import { refusalAfterShutdown, Refusals } from './refusals.js';
import { StateMachine, type Transitioning } from './state/state-machine.js';
import { transitionTimerOf, type Transitional } from './state/transition-timer.js';
import { Steering, type Steered } from './steering.js';
import { Tally } from './tally.js';
import { WaitingAttempts } from './waiting-attempts.js';

const BY_OPTIONS: ControlWord = { state: 'disabled', reason: 'disabled by its options' };

/** A circuit, closed or not: what it counts, what steers it, who waits under it and who hears of it. */
export class Circuit implements WaitingRoom, Transitional, Transitioning, Steered {
  /** How reports name it; all keys of a name share it, since they share their callbacks. */
  readonly place: string;
  private readonly key: string | undefined;
  /** Put together when it is first asked for. */
  #name: string | undefined = undefined;
  readonly environment: PolicyEnvironment;
  readonly machine: StateMachine;
  readonly tally: Tally;
  readonly steering: Steering;
  readonly events: BreakerEvents;
  /** Which errors are answers; undefined: it is not said. */
  answers: Matcher | undefined;
  options: ResolvedCircuitBreaker;
  private readonly onChange: (() => void) | undefined;
  /** What other processes make of the dependency; undefined: nothing is heard of them. */
  advice: Advice | undefined = undefined;
  #refusals: Refusals | undefined = undefined;
  private waiting: WaitingAttempts | undefined = undefined;
  /** Ends what goes on beside its calls. */
  private onRetire: (() => void)[] | undefined = undefined;

  constructor(init: BreakerInit) {
    const { options, environment, control = new Control() } = init;
    this.place = init.name;
    this.key = init.key;
    this.environment = environment;
    this.options = options;
    this.answers = answersOf(options);
    this.onChange = init.onChange;
    const now = environment.clock.now();
    this.events = new BreakerEvents(this);
    this.tally = new Tally(this, init.latencies, now);
    if (!options.enabled) control.say('options', BY_OPTIONS);
    this.steering = new Steering(this, control, init.onSaid);
    const ordered = this.steering.order();
    this.machine = new StateMachine(this, now, ordered);
    if (ordered === 'forcedOpen') this.refusals.forcedOpen();
  }

  get name(): string {
    return (this.#name ??= this.key === undefined ? this.place : `${this.place}[${this.key}]`);
  }

  /**
   * Takes on other options; its state and its counts stay. Only a window of another size begins empty, and so does what
   * a changed trip strategy counts by itself.
   */
  reconfigure(options: ResolvedCircuitBreaker, latencies: LatencyHistogram | undefined): void {
    const before = this.options;
    const now = this.environment.clock.now();
    this.machine.settle(now);
    this.options = options;
    this.events.face?.reconfigured(options);
    this.tally.reconfigured(before, latencies);
    if (options.answerOn !== before.answerOn) this.answers = answersOf(options);
    this.machine.reconfigured(now);
    if (options.enabled !== before.enabled) this.say('options', options.enabled ? undefined : BY_OPTIONS);
  }

  /** Whether it only watches: whatever it would refuse goes on. */
  get watchesOnly(): boolean {
    if (this.isShutDown) return false;
    return this.environment.enabled === false || (this.options.mode === 'metricsOnly' && !this.forced);
  }

  /** Whether it was shut down: nothing begins under it any more, and nothing that ran under it counts. */
  get isShutDown(): boolean {
    return this.machine.recorded === 'shutDown';
  }

  // ---- who steers it

  /** Whether somebody before the rules has forced it open. */
  get forced(): boolean {
    return this.steering.forced;
  }

  /** Why it is in its state. */
  get reason(): string {
    const { recorded, reason } = this.machine;
    return recorded === 'forcedOpen' || recorded === 'disabled' ? this.steering.reason : reason;
  }

  /** Lets a source say its word, or take it back; the first in the order that speaks wins. */
  say(source: ControlSource, word: ControlWord | undefined): void {
    this.steering.say(source, word);
  }

  /** What a source says of it. */
  wordOf(source: ControlSource): ControlWord | undefined {
    return this.steering.control.wordOf(source);
  }

  /** Opens until the reset time is over. */
  trip(now: number, reason: string, by: OpenedBy, error?: unknown, askedForMs = 0): void {
    this.refusals.opened(error);
    this.advice?.opens(by, askedForMs > 0);
    this.machine.trip(now, reason, Math.min(askedForMs, MAX_RETRY_AFTER_MS));
    this.endWaits(now);
  }

  /** Takes the operator's word back, closes it and forgets what it has counted. */
  close(reason: string): void {
    if (this.key === undefined) this.tally.clearLatencies();
    this.tally.clear();
    this.machine.close(this.environment.clock.now(), reason);
    this.steering.takeBack();
  }

  /** As {@link close}, and what its options say of `enabled` is over too. */
  enable(reason: string): void {
    this.steering.control.say('options', undefined);
    this.close(reason);
  }

  // ---- who waits under it

  enter(attempt: Attempt): void {
    (this.waiting ??= new WaitingAttempts()).enter(attempt);
    // It may have tripped since it let the call in: between two waits, or in a callback of the user's.
    const { recorded } = this.machine;
    if (recorded === 'open' || recorded === 'forcedOpen' || recorded === 'shutDown')
      this.endWaits(this.environment.clock.now());
  }

  leave(attempt: Attempt): void {
    this.waiting?.leave(attempt);
  }

  endWaits(now: number): void {
    if (this.watchesOnly) return;
    this.waiting?.end(() => {
      this.tally.reject(now);
      return this.refusal(now);
    });
  }

  /** The error for a call that may not begin; it is told to whoever listens. */
  refusal(now: number): ResilienceException {
    const error = this.isShutDown ? refusalAfterShutdown(this.name) : this.refusals.errorAt(now);
    this.events.tellRefused(error, false);
    if (this.hears('reject')) this.tell('reject', error);
    return error;
  }

  // ---- who hears of it

  /** Whether anybody listens to one of opossum's events. */
  hears(event: string): boolean {
    return this.events.hears(event);
  }

  /** Emits one of opossum's events to whoever listens. */
  tell(event: string, ...args: unknown[]): void {
    this.events.tell(event, ...args);
  }

  get heard(): boolean {
    return this.events.hearsTransitions;
  }

  get nextTransitionAt(): number | undefined {
    return this.machine.nextTransitionAt;
  }

  settle(now: number): void {
    this.machine.settle(now);
  }

  /** A state was entered: called by the state machine. */
  onTransition(from: CircuitState, to: CircuitState, reason: string, at: number): void {
    // What an order lay over is there again as it was; whoever closes it by hand clears it.
    if (to === 'closed' && from !== 'forcedOpen' && from !== 'disabled') this.tally.clear();
    this.onChange?.();
    this.advice?.entered(from, to, at);
    transitionTimerOf(this.environment).follow(this);
    const { openFor } = this.machine;
    this.events.tellTransition(from, to, { reason, at, metricsOnly: this.watchesOnly, openFor });
  }

  // ---- what people see

  /** The numbers of the rolling window. */
  get stats(): BreakerStats {
    return this.tally.statsAt(this.environment.clock.now());
  }

  /** What it tells those that it refuses. */
  get refusals(): Refusals {
    return (this.#refusals ??= new Refusals(this));
  }

  // ---- its end

  /** Lets nothing begin any more; its state stays as it is. */
  shutDown(): void {
    const now = this.environment.clock.now();
    this.machine.shutDown(now);
    this.endWaits(now);
    this.retire();
  }

  /** It is no longer in use. */
  retire(): void {
    transitionTimerOf(this.environment).forget(this);
    const ends = this.onRetire ?? [];
    this.onRetire = undefined;
    for (const end of ends) end();
  }

  /** Runs `end` when it is no longer in use. */
  whenRetired(end: () => void): void {
    (this.onRetire ??= []).push(end);
  }
}

function answersOf({ answerOn }: ResolvedCircuitBreaker): Matcher | undefined {
  return answerOn === undefined ? undefined : toMatcher(answerOn);
}
