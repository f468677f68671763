import type { CircuitState } from '../../events/resilience-event.js';
import { DeadlineQueue } from '../deadline-queue.js';
import { BreakerCore, REFUSED, type BreakerInit } from './breaker-core.js';
import type { ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import { FiredAction } from './fired-action.js';
import { checkHealth } from './health-check.js';
import { JudgedAttempt } from './judged-attempt.js';
import { restoreBreaker, takeSnapshot, type BreakerSnapshot } from './breaker-snapshot.js';
import { BreakerStatus, type BreakerStats } from './breaker-stats.js';
import type { LatencyHistogram } from '../latency-histogram.js';
import { idleStatus, Opossum } from './opossum.js';

/** opossum's events; its tools subscribe to whatever a breaker names. */
const EVENTS = [
  'fire',
  'success',
  'failure',
  'timeout',
  'reject',
  'open',
  'close',
  'halfOpen',
  'semaphoreLocked',
  'fallback',
  'shutdown',
];

type Listener = (...args: never[]) => void;
type AnyListener = (...args: unknown[]) => unknown;

/**
 * An opossum `CircuitBreaker`: its events, statistics, `open`, `close`, `enable`, `disable` and `toJSON()`, so that
 * its tools keep working. Admission, the rolling window and the classification of outcomes are ours; opossum's own
 * listeners and timers are gone.
 *
 * `fire(action, ...args)` runs any function under it.
 *
 * @publicApi
 */
export class Breaker extends Opossum {
  /** @internal */ readonly core: BreakerCore;
  #isShutdown = false;
  #firedActions: DeadlineQueue | undefined;
  #fallback: AnyListener | undefined;
  #status: BreakerStatus | undefined;

  constructor(init: BreakerInit) {
    const { name, options } = init;
    super(unusedAction, { name, group: options.group, timeout: false, status: idleStatus });
    // opossum counts by listeners to its own events; the core counts without.
    this.removeAllListeners();
    this.options = options;
    this.semaphore = undefined;
    this.core = new BreakerCore(init, this);
  }

  /** The state now; half-open as soon as the reset time is over. */
  get state(): CircuitState {
    return this.core.machine.stateAt(this.#now());
  }
  get closed(): boolean {
    const { state } = this;
    return state === 'closed' || state === 'disabled';
  }
  get opened(): boolean {
    const { state } = this;
    return state === 'open' || state === 'forcedOpen';
  }
  get halfOpen(): boolean {
    return this.state === 'halfOpen';
  }
  get pendingClose(): boolean {
    return this.halfOpen;
  }
  get enabled(): boolean {
    return this.core.machine.recorded !== 'disabled';
  }
  get warmUp(): boolean {
    return this.core.warmUp;
  }
  get volumeThreshold(): number {
    return this.core.volumeThreshold;
  }
  get isShutdown(): boolean {
    return this.#isShutdown;
  }
  get stats(): BreakerStats {
    return this.core.stats;
  }
  get status(): BreakerStatus {
    return (this.#status ??= new BreakerStatus(() => this.stats));
  }

  /**
   * Runs any function under it, where opossum runs the action that it was made with. The breaker's own `timeout`
   * bounds it.
   *
   * @throws (as a rejection) CircuitOpenException, TimeoutException, or whatever the action throws.
   */
  async fire<A extends unknown[], R>(action: (...args: A) => R | PromiseLike<R>, ...args: A): Promise<R> {
    try {
      return await this.#fire(action, args);
    } catch (error) {
      if (this.#fallback === undefined) throw error;
      const answer = this.#fallback(...args, error);
      this.core.tell('fallback', answer, error);
      return answer as R;
    }
  }

  /** As {@link fire}, with `this` for the action. */
  call<A extends unknown[], R>(context: unknown, action: (...args: A) => R | PromiseLike<R>, ...args: A): Promise<R> {
    return this.fire((...all: A) => action.apply(context, all), ...args);
  }

  /** Gives {@link fire} a substitute answer; methods have `@Fallback`. */
  fallback(answer: (...argsAndError: never[]) => unknown): this {
    this.#fallback = answer as AnyListener;
    return this;
  }

  /**
   * Opens it whenever `check` fails, which is asked now and then every `interval` ms, until {@link shutdown} or the end of
   * the app; a failure is told as 'healthCheckFailed'.
   *
   * @throws TypeError for a check that is no function, or an interval that is no number.
   */
  override healthCheck(check: () => unknown, interval = 5_000): void {
    this.core.onRetire = checkHealth(this, check, interval, this.core.onRetire);
  }

  /** Opens it now; it lets a probe through when the reset time is over. */
  open(): void {
    if (this.enabled && !this.opened) this.core.trip(this.#now(), 'opened by hand');
  }

  /** Closes it now and clears what it has counted; as with opossum, what is disabled by hand stays so. */
  close(): void {
    if (this.core.wordOf('operator')?.state !== 'disabled') this.forceClose();
  }

  /** Takes back what was ordered by hand, closes it now and clears what it has counted. */
  forceClose(): void {
    this.core.close('closed by hand');
  }

  /** Opens it until {@link forceClose}, {@link reset} or {@link enable}, whatever rules say. */
  forceOpen(reason = 'forced open by hand'): void {
    this.core.forceOpen(reason);
  }

  /** Forgets everything, also what was ordered by hand: closed, nothing counted. */
  reset(): void {
    this.core.enable('reset by hand');
  }

  /** Lets every call through and counts nothing. */
  disable(): void {
    this.core.disable();
  }

  /** Takes back what was ordered by hand, `enabled: false` too, and judges again with a clean window. */
  enable(): void {
    const { core } = this;
    if (core.wordOf('operator') !== undefined || core.wordOf('options') !== undefined) core.enable('enabled by hand');
  }

  /**
   * Takes on other options; its state and its counts stay.
   *
   * @internal
   */
  reconfigure(options: ResolvedCircuitBreaker, latencies: LatencyHistogram | undefined): void {
    this.options = options;
    // What runs under the old limit keeps it.
    this.#firedActions = undefined;
    this.core.reconfigure(options, latencies);
  }

  /** Lets nothing through any more, and lets go of its listeners. */
  shutdown(): void {
    this.core.tell('shutdown');
    this.#isShutdown = true;
    this.core.forceOpen('it was shut down');
    this.core.retire();
    this.removeAllListeners();
  }

  /** Its state, to be kept and {@link restore}d elsewhere or later. */
  snapshot(): BreakerSnapshot {
    return takeSnapshot(this.core);
  }

  /**
   * Takes on a state; what is left of the time to the next probe is at most `resetTimeout`, whatever the clocks say.
   *
   * @throws ResilienceConfigurationError for what is no snapshot.
   */
  restore(snapshot: BreakerSnapshot): void {
    restoreBreaker(this.core, snapshot);
  }

  override on(event: string | symbol, listener: Listener): this {
    return heard(super.on(event, listener as AnyListener));
  }

  override addListener(event: string | symbol, listener: Listener): this {
    return heard(super.addListener(event, listener as AnyListener));
  }

  override prependListener(event: string | symbol, listener: Listener): this {
    return heard(super.prependListener(event, listener as AnyListener));
  }

  override off(event: string | symbol, listener: Listener): this {
    return this.removeListener(event, listener);
  }

  override removeListener(event: string | symbol, listener: Listener): this {
    return unheard(super.removeListener(event, listener as AnyListener));
  }

  override removeAllListeners(event?: string | symbol): this {
    return unheard(event === undefined ? super.removeAllListeners() : super.removeAllListeners(event));
  }

  /** opossum's events, whether or not anybody listens: its tools subscribe to each. */
  override eventNames(): (string | symbol)[] {
    return [...new Set([...EVENTS, ...super.eventNames()])];
  }

  toJSON(): { state: Record<string, unknown>; status: BreakerStats } {
    const { clock } = this.core.environment;
    const { name, enabled, closed, opened, halfOpen, warmUp, isShutdown } = this;
    const lastTimerAt =
      opened || halfOpen
        ? Math.round(clock.wallNow() - (clock.now() - this.core.machine.sinceAt(clock.now())))
        : undefined;
    return {
      state: { name, enabled, closed, open: opened, halfOpen, warmUp, shutdown: isShutdown, lastTimerAt },
      status: this.stats,
    };
  }

  async #fire<A extends unknown[], R>(action: (...args: A) => R | PromiseLike<R>, args: A): Promise<R> {
    const { core } = this;
    const since = this.#now();
    core.tell('fire', args);
    if (!this.enabled && !this.#isShutdown) return action(...args);
    const weight = core.admit(since);
    if (weight === REFUSED) {
      if (!core.watchesOnly || this.#isShutdown) throw core.refusal(since);
      core.lookOn(since);
    }
    const fired = new FiredAction(this.name, args, since, core.options.timeout);
    const judged = new JudgedAttempt(core, fired, core.machine.epoch, since, weight);
    let result: R;
    try {
      result = await fired.run(() => action(...args), this.#limit());
    } catch (error) {
      judged.failed(error);
      throw error;
    }
    judged.succeeded(result);
    return result;
  }

  /** The fired actions under the breaker's own `timeout`. */
  #limit(): DeadlineQueue | undefined {
    const { options, environment } = this.core;
    if (options.timeout === false) return undefined;
    return (this.#firedActions ??= new DeadlineQueue(options.timeout, environment.clock, environment.lifecycle));
  }

  #now(): number {
    return this.core.environment.clock.now();
  }
}

/** Whoever begins to listen while it is open is told of its next change in time. */
function heard<B extends Breaker>(breaker: B): B {
  // opossum's own constructor listens before there is a core.
  (breaker.core as BreakerCore | undefined)?.listen();
  return breaker;
}

/** Nobody is to be woken up for whom nobody listens to. */
function unheard<B extends Breaker>(breaker: B): B {
  (breaker.core as BreakerCore | undefined)?.unlisten();
  return breaker;
}

function unusedAction(): never {
  throw new TypeError('this breaker has no action of its own: call fire(action, ...args)');
}
