import type { EventEmitter } from 'node:events';
import type { ResilienceException } from '../../errors/resilience.exception.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import type { CircuitState } from '../../events/resilience-event.js';
import type { Attempt, WaitingRoom } from '../../kernel/attempt.js';
import { aFunctionAnswer, ask, milliseconds, notify } from '../../kernel/ask.js';
import { toMatcher, type Matcher } from '../../kernel/error-match.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { Permit } from './attempt-outcome.js';
import { readStats, type BreakerStats } from './breaker-stats.js';
import { Control, goesBeforeRules, sameWord, type ControlSource, type ControlWord } from './control.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  MAX_RETRY_AFTER_MS,
  type ResolvedCircuitBreaker,
} from './circuit-breaker.options.js';
import { LatencySampling } from './latency-sampling.js';
import type { LatencyHistogram } from '../../kernel/latency-histogram.js';
import { describeRefusal, refusalOf, summaryOf, type OpenSummary, type RefusalDescription } from './refusal.js';
import { RollingWindow, type WindowCounts } from './rolling-window.js';
import { StateMachine, type RecordedState } from './state-machine.js';
import { transitionTimerOf, type Transitional } from './transition-timer.js';
import { strategyName, TrackedStrategy } from './trip/tracked-strategy.js';
import type { TripWindow } from './trip/trip-strategy.js';

/** What a breaker needs to know of itself. */
export interface BreakerInit {
  name: string;
  options: ResolvedCircuitBreaker;
  /** How reports name it. @default name */
  place?: string;
  latencies?: LatencyHistogram | undefined;
  /** Keyed breakers keep counts only, and share the histogram of their name. */
  sharesLatencies?: boolean;
  /** Told of each change of state. */
  onChange?: (() => void) | undefined;
  /** What is said of it. @default nothing yet */
  control?: Control;
  /** Told when somebody has said something of it. */
  onSaid?: (() => void) | undefined;
  environment: PolicyEnvironment;
}

/** The weight of a call that may not begin; of one that goes on all the same, whose latency stands for itself. */
export const REFUSED = -1;

/** What is known of an attempt that failed. */
export interface Failure {
  latencyMs: number;
  error: unknown;
  timedOut: boolean;
  /** How long the dependency asked to be left alone, ms. */
  askedForMs: number;
  args: readonly unknown[];
}

/**
 * Admission, counting and judgement of one breaker. It tells what happened through the events of its face, which is
 * the opossum breaker that people see.
 */
export class BreakerCore implements TripWindow, WaitingRoom, Transitional {
  readonly machine: StateMachine;
  readonly environment: PolicyEnvironment;
  readonly name: string;
  /** How reports name it; all keys of a name share it, since they share their callbacks. */
  readonly place: string;
  consecutiveFailures = 0;
  /** How many calls run under it. */
  inFlight = 0;
  /** Which errors are answers; undefined: it is not said. */
  answers: Matcher | undefined;
  /** Ends what goes on beside its calls. */
  #onRetire: (() => void) | undefined = undefined;
  #options: ResolvedCircuitBreaker;
  readonly #face: EventEmitter;
  #window: RollingWindow;
  readonly #sampling = new LatencySampling();
  #latencies: LatencyHistogram | undefined;
  readonly #sharesLatencies: boolean;
  readonly #onChange: (() => void) | undefined;
  readonly #onSaid: (() => void) | undefined;
  readonly #control: Control;
  /** Whether somebody before the rules has forced it open: then no mode lets calls past it. */
  #forced = false;
  /** What was so when it was forced open. */
  #forcedSummary: OpenSummary | undefined = undefined;
  #trip: TrackedStrategy;
  readonly #createdAt: number;
  #summary: OpenSummary | undefined = undefined;
  #refusal: RefusalDescription | undefined = undefined;
  #waiting: Set<Attempt> | undefined = undefined;
  /** Nobody ever listens to most breakers, and an emitter takes its time to say so. */
  #listenedTo = false;

  constructor(init: BreakerInit, face: EventEmitter) {
    const { name, options, latencies, environment } = init;
    this.name = name;
    this.place = init.place ?? name;
    this.#options = options;
    this.answers = answersOf(options);
    this.environment = environment;
    this.#face = face;
    this.#latencies = latencies;
    this.#sharesLatencies = init.sharesLatencies === true;
    this.#onChange = init.onChange;
    this.#onSaid = init.onSaid;
    this.#control = init.control ?? new Control();
    if (!options.enabled) this.#control.say('options', BY_OPTIONS);
    this.#createdAt = environment.clock.now();
    this.#window = windowOf(options);
    this.#trip = this.#tracked(options);
    const decision = this.#control.inForce;
    const ordered = orderOf(decision?.word);
    this.machine = new StateMachine(options, environment.random, this, this.#createdAt, ordered);
    if (ordered?.state === 'forcedOpen') this.#noteForced(decision?.source, ordered.reason);
  }

  get options(): ResolvedCircuitBreaker {
    return this.#options;
  }

  /**
   * Takes on other options; its state and its counts stay. Only a window of another size begins empty, and so does what
   * a changed trip strategy counts by itself.
   */
  reconfigure(options: ResolvedCircuitBreaker, latencies: LatencyHistogram | undefined): void {
    const before = this.#options;
    const now = this.environment.clock.now();
    if (!sameWindow(options, before)) {
      this.#window = windowOf(options);
      this.#trip = this.#tracked(options);
    } else if (strategyName(options.trip) !== strategyName(before.trip)) this.#trip = this.#tracked(options);
    this.#latencies = latencies;
    this.#options = options;
    if (options.answerOn !== before.answerOn) this.answers = answersOf(options);
    this.machine.settle(now);
    this.machine.reconfigure(options, now);
    if (options.enabled !== before.enabled) this.say('options', options.enabled ? undefined : BY_OPTIONS);
  }

  /** Whether it only watches: whatever it would refuse goes on. */
  get watchesOnly(): boolean {
    if (this.isShutDown) return false;
    return this.environment.enabled === false || (this.#options.mode === 'metricsOnly' && !this.#forced);
  }

  /** Whether it was shut down: nothing begins under it any more, and nothing that ran under it counts. */
  get isShutDown(): boolean {
    return this.machine.recorded === 'shutDown';
  }

  /** Whether somebody before the rules has forced it open. */
  get forced(): boolean {
    return this.#forced;
  }

  // ---- who steers it

  /** Lets a source say its word, or take it back; the first in the order that speaks wins. */
  say(source: ControlSource, word: ControlWord | undefined): void {
    if (sameWord(this.#control.wordOf(source), word)) return;
    this.#control.say(source, word);
    this.obey(word === undefined ? `the ${NAMES_OF_SOURCES[source]} takes back its word` : undefined);
    this.#onSaid?.();
  }

  /** Whether an operator speaks of it alone, and not of its whole name. */
  get isOrderedAlone(): boolean {
    return this.#control.isOrderedAlone;
  }

  /** What a source says of it. */
  wordOf(source: ControlSource): ControlWord | undefined {
    return this.#control.wordOf(source);
  }

  /** Takes on the state that the words ask for. */
  obey(told?: string): void {
    const now = this.environment.clock.now();
    const decision = this.#control.inForce;
    const ordered = orderOf(decision?.word);
    this.#forced = false;
    if (ordered === undefined) return this.machine.release(now, told);
    if (ordered.state === 'forcedOpen') this.#noteForced(decision?.source, ordered.reason);
    const { recorded, reason } = this.machine;
    if (recorded === ordered.state && reason === ordered.reason) return;
    this.machine.order(ordered.state, now, ordered.reason);
    if (ordered.state === 'forcedOpen') this.#endWaits(now);
  }

  #noteForced(source: ControlSource | undefined, reason: string): void {
    this.#forced = source !== undefined && goesBeforeRules(source);
    this.#forcedSummary = summaryOf(this, reason, undefined);
  }

  // ---- admission and outcomes

  /**
   * Lets a call begin at `now`, and says for how many its latency stands. {@link REFUSED}: it may not, and is counted as
   * refused.
   */
  admit(now: number): number {
    const { machine } = this;
    if (machine.recorded !== 'closed') {
      // What is disabled counts nothing.
      if (machine.recorded === 'disabled') return this.#pass(now);
      machine.settle(now);
    }
    this.#window.advance(now);
    this.#window.fire();
    if (machine.admit(now)) {
      this.inFlight++;
      if (machine.recorded === 'halfOpen') transitionTimerOf(this.environment).watch(this);
      return this.#sampling.weightAt(now);
    }
    this.#window.reject();
    return REFUSED;
  }

  #pass(now: number): number {
    this.inFlight++;
    return this.#sampling.weightAt(now);
  }

  /**
   * Only watches a call that it would refuse: tells so, and counts what becomes of it. Its own state goes on as if the call
   * had not been let through.
   */
  lookOn(now: number): void {
    this.inFlight++;
    if (this.environment.events.active) this.#refuse(now, true);
  }

  /** Counts a success without reading the clock, where nobody asks for its time. Returns false where somebody does. */
  succeededUnmeasured(permit: Permit): boolean {
    const { machine, options } = this;
    if (machine.recorded !== 'closed' || options.isFailure !== undefined || this.#trip.records) return false;
    if (this.environment.events.active || this.hears('success')) return false;
    if (permit.epoch !== machine.epoch) return true;
    this.#window.success(0, 0);
    this.consecutiveFailures = 0;
    this.#judge(undefined, undefined, 0);
    return true;
  }

  succeeded(permit: Permit, latencyMs: number, now: number, result: unknown): void {
    if (!this.#counts(permit, now)) return;
    const tick = this.#window.advance(now);
    this.#window.success(latencyMs, Math.abs(permit.weight));
    this.consecutiveFailures = 0;
    this.#record(false, permit, latencyMs, now, tick);
    if (this.hears('success')) this.tell('success', result, latencyMs);
    if (permit.weight === REFUSED) return;
    if (this.machine.recorded !== 'halfOpen') return this.#judge(now, undefined, 0);
    const slow = this.#slowness(latencyMs);
    // A strategy of the user's may have steered it meanwhile.
    if (permit.epoch !== this.machine.epoch) return;
    if (slow === undefined) this.machine.probeSucceeded(permit.since, now);
    else this.#probeFailed(permit, now, slow, undefined, 0);
  }

  failed(permit: Permit, now: number, failure: Failure): void {
    if (!this.#counts(permit, now)) return;
    const { latencyMs, error } = failure;
    const tick = this.#window.advance(now);
    this.#window.failure(failure.timedOut);
    this.consecutiveFailures++;
    this.#record(true, permit, latencyMs, now, tick);
    if (failure.timedOut) this.tell('timeout', error, latencyMs, failure.args);
    this.tell('failure', error, latencyMs, failure.args);
    if (permit.weight === REFUSED) return;
    if (this.machine.recorded === 'halfOpen')
      this.#probeFailed(permit, now, 'a probe failed', error, failure.askedForMs);
    else this.#judge(now, error, failure.askedForMs);
  }

  #probeFailed({ since }: Permit, now: number, reason: string, error: unknown, askedForMs: number): void {
    const why = this.machine.probeFailed(since, now, reason);
    if (why !== undefined) this.trip(now, why, error, askedForMs);
  }

  /** Why a probe that gave an answer has failed all the same; undefined: it has not. */
  #slowness(latencyMs: number): string | undefined {
    const verdict = this.#trip.failsProbe(latencyMs);
    if (verdict === false || verdict === '') return undefined;
    return verdict === true ? `a probe failed by trip strategy ${strategyName(this.options.trip)}` : verdict;
  }

  /** @param full the error of a bulkhead inside that had no room. */
  ignored(permit: Permit, now: number, full: Error | undefined): void {
    if (full !== undefined && this.machine.recorded !== 'disabled') {
      this.#window.advance(now);
      this.#window.semaphoreRejection();
      this.tell('semaphoreLocked', full, now - permit.since);
    }
    if (this.#counts(permit, now)) this.#handBack(permit);
  }

  #handBack({ since, weight }: Permit): void {
    if (weight !== REFUSED) this.machine.handBack(since);
  }

  /** An outcome could not be judged: it counts nowhere. */
  unjudged(permit: Permit, fault: unknown): void {
    if (permit.epoch === this.machine.epoch) this.#handBack(permit);
    this.environment.reportCallback(`${this.place}, judging an outcome`, fault);
  }

  /** A faster attempt answered: it counts nowhere, but may have been slow. `ranMs` is undefined if it never began. */
  lost(permit: Permit, now: number, ranMs: number | undefined): void {
    if (!this.#counts(permit, now)) return;
    if (this.machine.recorded === 'halfOpen') {
      const slow = ranMs === undefined || permit.weight === REFUSED ? undefined : this.#slowness(ranMs);
      if (permit.epoch !== this.machine.epoch) return;
      if (slow === undefined) this.#handBack(permit);
      else this.#probeFailed(permit, now, slow, undefined, 0);
      return;
    }
    if (ranMs === undefined || !this.#trip.recordLost(ranMs, now) || permit.weight === REFUSED) return;
    this.#window.advance(now);
    this.#judge(now, undefined, 0);
  }

  /** The mean time of a success in the window that ends at `now`, ms; undefined without a success. */
  meanSuccessMsAt(now: number): number | undefined {
    this.#window.advance(now);
    return this.#window.meanSuccessMs;
  }

  /** The error for a call that may not begin; it is told to whoever listens. */
  refusal(now: number): ResilienceException {
    const error = this.isShutDown ? this.#toldOf(refusalAfterShutdown(this.name), false) : this.#refuse(now, false);
    this.tell('reject', error);
    return error;
  }

  #refuse(now: number, metricsOnly: boolean): ResilienceException {
    return this.#toldOf(this.#refusalAt(now), metricsOnly);
  }

  #toldOf(error: ResilienceException, metricsOnly: boolean): ResilienceException {
    const { events } = this.environment;
    if (events.active) {
      const { code, retryAfterMs, details } = error;
      const body = { type: 'refused', name: this.name, policy: 'circuitBreaker', code, retryAfterMs, details } as const;
      events.emit(metricsOnly ? { ...body, metricsOnly } : body);
    }
    return error;
  }

  #refusalAt(now: number): ResilienceException {
    if (this.#refusal?.epoch !== this.machine.epoch) {
      const summary = this.summaryOf(this.machine.recorded);
      const wallNow = this.environment.clock.wallNow();
      this.#refusal = describeRefusal(this.name, this.machine, summary, now, wallNow);
    }
    return refusalOf(this.name, this.#refusal, this.machine.timeToProbe(now));
  }

  /** Somebody's fallback has answered for a call under it. A disabled breaker counts nothing. */
  fellBack(answer: unknown, error: unknown): void {
    if (this.machine.recorded === 'disabled' || this.isShutDown) return;
    this.#window.advance(this.environment.clock.now());
    this.#window.fallback();
    this.tell('fallback', answer, error);
  }

  /** Whether anybody listens to one of opossum's events. */
  hears(event: string): boolean {
    return this.#listenedTo && this.#face.listenerCount(event) > 0;
  }

  /** Emits one of opossum's events to whoever listens. */
  tell(event: string, ...args: unknown[]): void {
    if (this.hears(event)) this.#emit(event, args);
  }

  #emit(event: string, args: readonly unknown[]): void {
    // An emitter ends with the first listener that throws.
    for (const listener of this.#face.rawListeners(event)) {
      notify(this.environment, `${this.place}, a listener of '${event}'`, () =>
        Reflect.apply(listener, this.#face, args),
      );
    }
  }

  // ---- by hand

  /** Opens until the reset time is over. */
  trip(now: number, reason: string, error?: unknown, askedForMs = 0): void {
    this.#summary = summaryOf(this, reason, error);
    this.machine.trip(now, reason, Math.min(askedForMs, MAX_RETRY_AFTER_MS));
    this.#endWaits(now);
  }

  forceOpen(reason: string): void {
    this.say('operator', { state: 'forcedOpen', reason });
  }

  disable(): void {
    this.say('operator', { state: 'disabled', reason: BY_HAND });
  }

  /** Takes the operator's word back, closes it and forgets what it has counted. */
  close(reason: string): void {
    if (!this.#sharesLatencies) this.#latencies?.clear();
    this.#clear();
    this.machine.close(this.environment.clock.now(), reason);
    this.#control.say('operator', undefined);
    this.obey();
    this.#onSaid?.();
  }

  /** As {@link close}, and what its options say of `enabled` is over too. */
  enable(reason: string): void {
    this.#control.say('options', undefined);
    this.close(reason);
  }

  /** Lets nothing begin any more; its state stays as it is. */
  shutDown(): void {
    const now = this.environment.clock.now();
    this.machine.shutDown(now);
    this.#endWaits(now);
    this.retire();
  }

  /** Forgets what it has counted. */
  clear(): void {
    this.#clear();
  }

  // ---- who waits under it

  enter(call: Attempt): void {
    (this.#waiting ??= new Set()).add(call);
    // It may have tripped since it let the call in: between two waits, or in a callback of the user's.
    const { recorded } = this.machine;
    if (recorded === 'open' || recorded === 'forcedOpen' || recorded === 'shutDown')
      this.#endWaits(this.environment.clock.now());
  }

  leave(call: Attempt): void {
    this.#waiting?.delete(call);
  }

  // ---- what its timer sees

  get heard(): boolean {
    const face = this.#face;
    return this.environment.events.active || face.listenerCount('halfOpen') > 0 || face.listenerCount('open') > 0;
  }

  get nextTransitionAt(): number | undefined {
    return this.machine.nextTransitionAt;
  }

  settle(now: number): void {
    this.machine.settle(now);
  }

  /** Takes on what was remembered elsewhere of an opening; `state` says of which. */
  remember(state: CircuitState, summary: OpenSummary | undefined): void {
    if (state === 'forcedOpen') this.#forcedSummary = summary;
    else this.#summary = summary;
    this.#refusal = undefined;
  }

  /** What it remembers of its last opening, or of that by order. */
  summaryOf(state: RecordedState): OpenSummary | undefined {
    return state === 'forcedOpen' ? this.#forcedSummary : this.#summary;
  }

  /** Somebody has begun to listen. */
  listen(): void {
    this.#listenedTo = true;
    if (this.nextTransitionAt !== undefined) transitionTimerOf(this.environment).watch(this);
  }

  /** Somebody listens no more. */
  unlisten(): void {
    if (this.nextTransitionAt !== undefined) transitionTimerOf(this.environment).refresh();
  }

  /** It is no longer in use. */
  retire(): void {
    transitionTimerOf(this.environment).forget(this);
    this.#onRetire?.();
    this.#onRetire = undefined;
  }

  /** Runs `end` when it is no longer in use. */
  whenRetired(end: () => void): void {
    const before = this.#onRetire;
    const both = (): void => {
      before?.();
      end();
    };
    this.#onRetire = before === undefined ? end : both;
  }

  openTimes(start: () => unknown): (opening: number, error: unknown, call: never) => number {
    const { resetTimeout } = CIRCUIT_BREAKER_DEFAULTS;
    return ask(this.environment, `${this.place}, resetTimeout`, aFunctionAnswer, () => resetTimeout, start);
  }

  openTime(backoff: () => unknown): number {
    const { resetTimeout } = CIRCUIT_BREAKER_DEFAULTS;
    return ask(this.environment, `${this.place}, resetTimeout`, milliseconds, resetTimeout, backoff);
  }

  /** A state was entered: called by the state machine. */
  onTransition(from: CircuitState, to: CircuitState, reason: string, at: number): void {
    // What an order lay over is there again as it was; whoever closes it by hand clears it.
    if (to === 'closed' && from !== 'forcedOpen' && from !== 'disabled') this.#clear();
    this.#onChange?.();
    const timer = transitionTimerOf(this.environment);
    if (this.machine.nextTransitionAt === undefined) timer.forget(this);
    else timer.watch(this);
    const { events, clock } = this.environment;
    if (events.hearsChanges) {
      const body = { type: 'stateChange', name: this.name, policy: 'circuitBreaker', from, to, reason } as const;
      const shadow = this.watchesOnly ? { metricsOnly: true } : {};
      events.emitChange({ ...body, ...shadow, at: clock.wallNow() - (clock.now() - at) });
    }
    const event = FACE_EVENTS[to];
    if (event === 'halfOpen') this.tell(event, this.machine.openFor);
    else if (event !== undefined) this.tell(event);
  }

  // ---- what a trip strategy sees

  get calls(): number {
    return this.#window.successes + this.#window.failures;
  }
  get successes(): number {
    return this.#window.successes;
  }
  get failures(): number {
    return this.#window.failures;
  }
  get failureRate(): number {
    const { calls } = this;
    return calls === 0 ? 0 : (this.#window.failures * 100) / calls;
  }
  get meanSuccessMs(): number | undefined {
    return this.#window.meanSuccessMs;
  }
  get windowMs(): number {
    return this.options.rollingCountTimeout;
  }
  get volumeThreshold(): number {
    return this.options.volumeThreshold;
  }
  get errorThresholdPercentage(): number {
    return this.options.errorThresholdPercentage;
  }

  // ---- what people see

  /** Whether it is in its first window and must not open yet. */
  get warmUp(): boolean {
    const { allowWarmUp, rollingCountTimeout } = this.options;
    return allowWarmUp && this.environment.clock.now() - this.#createdAt < rollingCountTimeout;
  }

  get stats(): BreakerStats {
    this.#latencies?.advance(this.#window.advance(this.environment.clock.now()));
    return readStats(this.#window, this.#latencies);
  }

  /** The counts of each bucket of the window, the newest first. */
  get buckets(): WindowCounts[] {
    this.#window.advance(this.environment.clock.now());
    return this.#window.slices();
  }

  /**
   * An attempt that it let through is over, whatever became of it. To be called once for each, before anything else: what
   * comes after looks at values that are not ours.
   */
  release(): void {
    this.inFlight--;
  }

  /** Whether the outcome of an attempt still counts: only in the state in which the attempt began. */
  #counts({ epoch }: Permit, now: number): boolean {
    const { machine } = this;
    if (machine.recorded !== 'closed') machine.settle(now);
    return epoch === machine.epoch && machine.recorded !== 'disabled';
  }

  #record(failed: boolean, { weight }: Permit, latencyMs: number, now: number, tick: number): void {
    if (this.#trip.records) this.#trip.record(failed, latencyMs, now);
    if (this.#latencies === undefined || weight === 0) return;
    this.#latencies.advance(tick);
    this.#latencies.record(latencyMs, Math.abs(weight));
  }

  /** @param now undefined: the clock has not been read. */
  #judge(now: number | undefined, error: unknown, askedForMs: number): void {
    if (this.options.allowWarmUp && this.warmUp) return;
    const verdict = this.#trip.shouldTrip(this);
    if (verdict === false || verdict === '') return;
    const at = now ?? this.environment.clock.now();
    const reason = verdict === true ? `trip strategy ${strategyName(this.options.trip)}` : verdict;
    this.trip(at, reason, error, askedForMs);
  }

  #tracked({ trip, rollingCountTimeout, rollingCountBuckets }: ResolvedCircuitBreaker): TrackedStrategy {
    return new TrackedStrategy(trip, rollingCountTimeout, rollingCountBuckets, this.place, this.environment);
  }

  #clear(): void {
    this.#window.clear();
    this.consecutiveFailures = 0;
    this.#trip.reset();
  }

  #endWaits(now: number): void {
    if (this.watchesOnly || this.#waiting === undefined) return;
    this.#window.advance(now);
    for (const call of [...this.#waiting]) {
      this.#window.reject();
      call.abort(this.refusal(now));
    }
  }
}

function refusalAfterShutdown(name: string): ShutdownException {
  const message = `circuit breaker ${name} was shut down`;
  return new ShutdownException({ policy: 'circuitBreaker', instanceName: name, message });
}

const BY_HAND = 'disabled by hand';
const BY_OPTIONS: ControlWord = { state: 'disabled', reason: 'disabled by its options' };
const NAMES_OF_SOURCES: Readonly<Record<ControlSource, string>> = {
  operator: 'operator',
  command: 'command',
  rule: 'rule',
  advice: 'advice',
  options: 'options',
};

/** The state that a word orders; undefined where the breaker is to go by itself. */
function orderOf(word: ControlWord | undefined): { state: 'forcedOpen' | 'disabled'; reason: string } | undefined {
  return word === undefined || word.state === 'normal' ? undefined : { state: word.state, reason: word.reason };
}

function answersOf({ answerOn }: ResolvedCircuitBreaker): Matcher | undefined {
  return answerOn === undefined ? undefined : toMatcher(answerOn);
}

/** Whether two sets of options count over the same time in the same steps. */
export function sameWindow(one: ResolvedCircuitBreaker, other: ResolvedCircuitBreaker): boolean {
  return one.rollingCountTimeout === other.rollingCountTimeout && one.rollingCountBuckets === other.rollingCountBuckets;
}

function windowOf({ rollingCountTimeout, rollingCountBuckets }: ResolvedCircuitBreaker): RollingWindow {
  return new RollingWindow(rollingCountTimeout, rollingCountBuckets);
}

const FACE_EVENTS: Partial<Record<CircuitState, string>> = {
  open: 'open',
  forcedOpen: 'open',
  halfOpen: 'halfOpen',
  closed: 'close',
};
