import type { CircuitOpenException } from '../../errors/circuit-open.exception.js';
import type { CircuitState } from '../../events/resilience-event.js';
import type { Call, WaitingRoom } from '../call.js';
import { judge } from '../outcome.js';
import { ask, type PolicyEnvironment } from '../policy.js';
import { BreakerStatus, readStats, type BreakerStats } from './breaker-stats.js';
import { MAX_RETRY_AFTER_MS, type ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import type { LatencyHistogram } from './latency-histogram.js';
import { idleStatus, Opossum } from './opossum.js';
import { refusalOf, summaryOf, type OpenSummary } from './refusal.js';
import { RollingWindow } from './rolling-window.js';
import { StateMachine } from './state-machine.js';
import { startTracking } from './trip/any-of.js';
import type { TripTracker, TripWindow } from './trip/trip-strategy.js';

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
  'shutdown',
];

/** What a breaker needs to know of itself. */
export interface BreakerInit {
  name: string;
  options: ResolvedCircuitBreaker;
  /** Keyed breakers share one histogram and keep counts only. */
  latencies?: LatencyHistogram | undefined;
  environment: PolicyEnvironment;
}

/**
 * An opossum `CircuitBreaker`: its events, statistics, `open`, `close`, `enable`, `disable` and `toJSON()`, so that
 * its tools keep working. Admission, the rolling window and the classification of outcomes are ours; opossum's own
 * listeners and timers are gone.
 *
 * `fire(action, ...args)` runs any function under it.
 *
 * @publicApi
 */
export class Breaker extends Opossum implements TripWindow, WaitingRoom {
  /** @internal */ readonly settings: ResolvedCircuitBreaker;
  /** @internal */ readonly machine: StateMachine;
  #environment: PolicyEnvironment;
  #window: RollingWindow;
  #latencies: LatencyHistogram | undefined;
  #trip: TripTracker;
  #createdAt: number;
  #consecutiveFailures = 0;
  #inFlight = 0;
  #summary: OpenSummary | undefined;
  #waiting: Set<Call> | undefined;
  #isShutdown = false;
  #status: BreakerStatus | undefined;

  constructor({ name, options, latencies, environment }: BreakerInit) {
    super(unusedAction, { name, group: options.group, timeout: false, status: idleStatus });
    // opossum counts by listeners to its own events; the counting is done below.
    this.removeAllListeners();
    this.options = options;
    this.semaphore = undefined;
    this.settings = options;
    this.#environment = environment;
    const { clock, random } = environment;
    this.#createdAt = clock.now();
    const { rollingCountTimeout: span, rollingCountBuckets: buckets } = options;
    this.#window = new RollingWindow(span, buckets);
    this.#latencies = latencies;
    this.#trip = startTracking(options.trip, span, buckets);
    this.machine = new StateMachine(options, random, (...change) => this.#onTransition(...change), this.#createdAt);
  }

  // ---- admission and outcomes

  /**
   * Whether a call may begin at `now`. A call that may not is counted as refused.
   *
   * @internal
   */
  admit(now: number): boolean {
    const { machine } = this;
    this.#window.advance(now);
    this.#window.fire();
    if (machine.recorded !== 'closed') machine.settle(now);
    if (machine.admit(now)) {
      this.#inFlight++;
      return true;
    }
    this.#window.reject();
    return false;
  }

  /** @internal */
  succeeded(epoch: number, since: number, latencyMs: number, now: number, result: unknown): void {
    this.#inFlight--;
    const { machine } = this;
    if (epoch !== machine.epoch || machine.recorded === 'disabled') return;
    this.#window.advance(now);
    this.#window.success(latencyMs);
    this.#consecutiveFailures = 0;
    this.#record(false, latencyMs, now);
    if (this.listenerCount('success') > 0) this.emit('success', result, latencyMs);
    if (machine.recorded === 'halfOpen') machine.probeSucceeded(since, now);
    else this.#judge(now, undefined, 0);
  }

  /** @internal */
  failed(epoch: number, latencyMs: number, now: number, error: unknown, timedOut: boolean, askedForMs: number): void {
    this.#inFlight--;
    const { machine } = this;
    if (epoch !== machine.epoch || machine.recorded === 'disabled') return;
    this.#window.advance(now);
    this.#window.failure(timedOut);
    this.#consecutiveFailures++;
    this.#record(true, latencyMs, now);
    if (timedOut && this.listenerCount('timeout') > 0) this.emit('timeout', error, latencyMs);
    if (this.listenerCount('failure') > 0) this.emit('failure', error, latencyMs);
    if (machine.recorded === 'halfOpen') this.#open(now, 'a probe failed', error, askedForMs);
    else this.#judge(now, error, askedForMs);
  }

  /** @internal */
  ignored(epoch: number, since: number, refusedInside: boolean): void {
    this.#inFlight--;
    if (refusedInside) this.#window.semaphoreRejection();
    if (epoch === this.machine.epoch && this.machine.recorded === 'halfOpen') this.machine.handBack(since);
  }

  /**
   * The error for a call that may not begin.
   *
   * @internal
   */
  refusal(now: number): CircuitOpenException {
    const { clock } = this.#environment;
    const error = refusalOf(this.name, this.machine, this.#summary, now, clock.wallNow());
    if (this.listenerCount('reject') > 0) this.emit('reject', error);
    return error;
  }

  /** @internal */
  enter(call: Call): void {
    (this.#waiting ??= new Set()).add(call);
  }

  /** @internal */
  leave(call: Call): void {
    this.#waiting?.delete(call);
  }

  /** How many calls run under it. */
  get inFlight(): number {
    return this.#inFlight;
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
  get consecutiveFailures(): number {
    return this.#consecutiveFailures;
  }
  get failureRate(): number {
    const { calls } = this;
    return calls === 0 ? 0 : (this.#window.failures / calls) * 100;
  }
  get meanSuccessMs(): number | undefined {
    return this.#window.meanSuccessMs;
  }
  get windowMs(): number {
    return this.settings.rollingCountTimeout;
  }
  get volumeThreshold(): number {
    return this.settings.volumeThreshold;
  }
  get errorThresholdPercentage(): number {
    return this.settings.errorThresholdPercentage;
  }

  // ---- opossum's face

  /** The state now; half-open as soon as the reset time is over. */
  get state(): CircuitState {
    return this.machine.stateAt(this.#environment.clock.now());
  }
  get closed(): boolean {
    return this.state === 'closed' || this.state === 'disabled';
  }
  get opened(): boolean {
    return this.state === 'open' || this.state === 'forcedOpen';
  }
  get halfOpen(): boolean {
    return this.state === 'halfOpen';
  }
  get pendingClose(): boolean {
    return this.halfOpen;
  }
  get enabled(): boolean {
    return this.machine.recorded !== 'disabled';
  }
  get warmUp(): boolean {
    return (
      this.settings.allowWarmUp && this.#environment.clock.now() - this.#createdAt < this.settings.rollingCountTimeout
    );
  }
  get isShutdown(): boolean {
    return this.#isShutdown;
  }

  get stats(): BreakerStats {
    const bucket = this.#window.advance(this.#environment.clock.now());
    this.#latencies?.advance(bucket);
    return readStats(this.#window, this.#latencies);
  }

  get status(): BreakerStatus {
    return (this.#status ??= new BreakerStatus(() => this.stats));
  }

  /**
   * Runs any function under it, where opossum runs the action that it was made with.
   *
   * @throws (as a rejection) CircuitOpenException, or whatever the action throws.
   */
  async fire<A extends unknown[], R>(action: (...args: A) => R | PromiseLike<R>, ...args: A): Promise<R> {
    const { clock } = this.#environment;
    const since = clock.now();
    if (this.listenerCount('fire') > 0) this.emit('fire', args);
    if (!this.admit(since) && this.settings.mode === 'normal') throw this.refusal(since);
    const { epoch } = this.machine;
    let result: R;
    try {
      result = await action(...args);
    } catch (error) {
      this.#failedFire(epoch, since, error);
      throw error;
    }
    const now = clock.now();
    this.succeeded(epoch, since, now - since, now, result);
    return result;
  }

  /** As {@link fire}, with `this` for the action. */
  call<A extends unknown[], R>(context: unknown, action: (...args: A) => R | PromiseLike<R>, ...args: A): Promise<R> {
    return this.fire((...all: A) => action.apply(context, all), ...args);
  }

  /** Opens it now; it lets a probe through when the reset time is over. */
  open(): void {
    if (!this.opened) this.#open(this.#environment.clock.now(), 'opened by hand', undefined, 0);
  }

  /** Closes it now and clears what it has counted. */
  close(): void {
    this.#close('closed by hand');
  }

  /** Opens it until {@link close} or {@link reset}. */
  forceOpen(reason = 'forced open by hand'): void {
    const now = this.#environment.clock.now();
    this.#summary = summaryOf(this, reason, undefined);
    this.machine.forceOpen(now, reason);
    this.#endWaits(now);
  }

  /** Forgets everything: closed, nothing counted. */
  reset(): void {
    this.#close('reset by hand');
  }

  /** Lets every call through and counts nothing. */
  disable(): void {
    if (this.enabled) this.machine.disable(this.#environment.clock.now());
  }

  /** Judges again, with a clean window. */
  enable(): void {
    if (!this.enabled) this.#close('enabled by hand');
  }

  /** Lets go of its listeners. */
  shutdown(): void {
    this.emit('shutdown');
    this.#isShutdown = true;
    this.disable();
    this.removeAllListeners();
  }

  /** opossum's events, whether or not anybody listens: its tools subscribe to each. */
  override eventNames(): (string | symbol)[] {
    return [...new Set([...EVENTS, ...super.eventNames()])];
  }

  toJSON(): { state: Record<string, unknown>; status: BreakerStats } {
    const { clock } = this.#environment;
    const { name, enabled, closed, opened, halfOpen, warmUp, isShutdown } = this;
    const lastTimerAt = opened || halfOpen ? clock.wallNow() - (clock.now() - this.machine.since) : undefined;
    return {
      state: { name, enabled, closed, open: opened, halfOpen, warmUp, shutdown: isShutdown, lastTimerAt },
      status: this.stats,
    };
  }

  // ---- inside

  #failedFire(epoch: number, since: number, error: unknown): void {
    const now = this.#environment.clock.now();
    const { kind } = judge(error, false, undefined);
    if (kind === 'failure') return this.failed(epoch, now - since, now, error, false, 0);
    if (kind === 'answered') return this.succeeded(epoch, since, now - since, now, error);
    this.ignored(epoch, since, kind === 'refused');
  }

  #record(failed: boolean, latencyMs: number, now: number): void {
    this.#trip.record(failed, latencyMs, now);
    if (this.#latencies === undefined) return;
    this.#latencies.advance(this.#window.advance(now));
    this.#latencies.record(latencyMs);
  }

  #judge(now: number, error: unknown, askedForMs: number): void {
    if (this.settings.allowWarmUp && this.warmUp) return;
    const verdict = ask(this.#environment, `${this.name}, trip strategy`, false, () => this.#trip.shouldTrip(this));
    if (verdict === false) return;
    this.#open(now, verdict === true ? `trip strategy ${this.settings.trip.name}` : verdict, error, askedForMs);
  }

  #open(now: number, reason: string, error: unknown, askedForMs: number): void {
    this.#summary = summaryOf(this, reason, error);
    this.machine.trip(now, reason, Math.min(askedForMs, MAX_RETRY_AFTER_MS));
    this.#endWaits(now);
  }

  #close(reason: string): void {
    this.#window.clear();
    this.#trip.reset();
    this.#latencies?.clear();
    this.#consecutiveFailures = 0;
    this.machine.close(this.#environment.clock.now(), reason);
  }

  #endWaits(now: number): void {
    if (this.settings.mode === 'metricsOnly' || this.#waiting === undefined) return;
    for (const call of [...this.#waiting]) call.abort(this.refusal(now));
  }

  #onTransition(from: CircuitState, to: CircuitState, reason: string, at: number): void {
    if (to === 'closed') {
      this.#window.clear();
      this.#trip.reset();
      this.#consecutiveFailures = 0;
    }
    const { events, clock } = this.#environment;
    if (events.active) {
      const body = { type: 'stateChange', name: this.name, policy: 'circuitBreaker', from, to, reason } as const;
      const shadow = this.settings.mode === 'metricsOnly' ? { metricsOnly: true } : {};
      events.emit({ ...body, ...shadow, at: clock.wallNow() - (clock.now() - at) });
    }
    const event = to === 'forcedOpen' ? 'open' : to === 'closed' ? 'close' : to;
    if (event !== 'disabled' && this.listenerCount(event) > 0) this.emit(event);
  }
}

function unusedAction(): never {
  throw new TypeError('this breaker has no action of its own: call fire(action, ...args)');
}
