import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { LatencyHistogram } from '../../kernel/latency-histogram.js';
import { readStats, type BreakerStats } from './breaker-stats.js';
import type { ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import { LatencySampling } from './latency-sampling.js';
import { RollingWindow, type WindowCounts } from './rolling-window.js';
import { strategyName, TrackedStrategy } from './trip/tracked-strategy.js';
import type { TripWindow } from './trip/trip-strategy.js';

/** Whose calls are counted. */
export interface Counted {
  readonly place: string;
  readonly environment: PolicyEnvironment;
  readonly options: ResolvedCircuitBreaker;
}

/** What a breaker has counted, and what its trip strategy makes of it. */
export class Tally implements TripWindow {
  consecutiveFailures = 0;
  private window: RollingWindow;
  private trip: TrackedStrategy;
  private latencies: LatencyHistogram | undefined;
  private readonly sampling = new LatencySampling();
  // Asked of each call, and options have many shapes.
  /** Whether somebody must know how long each success took, or what it gave. */
  looksAtSuccesses = false;
  private allowsWarmUp = false;

  /**
   * @param latencies undefined: none are kept.
   * @param begunAt when the breaker was made.
   */
  constructor(
    private readonly breaker: Counted,
    latencies: LatencyHistogram | undefined,
    private readonly begunAt: number,
  ) {
    this.window = windowOf(breaker.options);
    this.trip = this.tracked();
    this.latencies = latencies;
    this.readOptions();
  }

  /** Goes by other options than `before`: a window of another size begins empty, and so does another strategy. */
  reconfigured(before: ResolvedCircuitBreaker, latencies: LatencyHistogram | undefined): void {
    const { options } = this.breaker;
    const kept = sameWindow(options, before);
    if (!kept) this.window = windowOf(options);
    if (!kept || strategyName(options.trip) !== strategyName(before.trip)) this.trip = this.tracked();
    this.latencies = latencies;
    this.readOptions();
  }

  // ---- counting

  /** A call comes at `now`. */
  fire(now: number): void {
    this.window.advance(now);
    this.window.fire();
  }

  /** For how many calls the latency of one that begins at `now` stands. */
  weightAt(now: number): number {
    return this.sampling.weightAt(now);
  }

  /** A success whose time nobody wants to know. */
  successUnmeasured(): void {
    this.window.success(0, 0);
    this.consecutiveFailures = 0;
  }

  success(latencyMs: number, weight: number, now: number): void {
    this.window.advance(now);
    this.window.success(latencyMs, weight);
    this.consecutiveFailures = 0;
    this.record(false, latencyMs, weight, now);
  }

  failure(timedOut: boolean, latencyMs: number, weight: number, now: number): void {
    this.window.advance(now);
    this.window.failure(timedOut);
    this.consecutiveFailures++;
    this.record(true, latencyMs, weight, now);
  }

  /** An attempt was cut after `ranMs`. @returns whether the strategy wanted to know. */
  lost(ranMs: number, now: number): boolean {
    return this.trip.recordLost(ranMs, now);
  }

  reject(now: number): void {
    this.window.advance(now);
    this.window.reject();
  }

  semaphoreRejection(now: number): void {
    this.window.advance(now);
    this.window.semaphoreRejection();
  }

  fallback(now: number): void {
    this.window.advance(now);
    this.window.fallback();
  }

  /** Forgets what it has counted; of latencies, which others may share, see {@link clearLatencies}. */
  clear(): void {
    this.window.clear();
    this.consecutiveFailures = 0;
    this.trip.reset();
  }

  clearLatencies(): void {
    this.latencies?.clear();
  }

  // ---- judging

  /** Whether nothing that it has counted could open the breaker. */
  get quiet(): boolean {
    return this.window.failures === 0 && this.trip.needsFailure;
  }

  /** Why the breaker is to open; undefined: it is not. To be asked after counting. */
  whyTrip(): string | undefined {
    if (this.allowsWarmUp && this.warmUp) return undefined;
    const verdict = this.trip.shouldTrip(this);
    if (verdict === false || verdict === '') return undefined;
    return verdict === true ? `trip strategy ${strategyName(this.breaker.options.trip)}` : verdict;
  }

  /** Why a probe that gave an answer after `latencyMs` has failed all the same; undefined: it has not. */
  whyProbeFailed(latencyMs: number): string | undefined {
    const verdict = this.trip.failsProbe(latencyMs);
    if (verdict === false || verdict === '') return undefined;
    return verdict === true ? `a probe failed by trip strategy ${strategyName(this.breaker.options.trip)}` : verdict;
  }

  // ---- reading

  /** Whether the breaker is in its first window and must not open yet. */
  get warmUp(): boolean {
    return this.allowsWarmUp && this.breaker.environment.clock.now() - this.begunAt < this.windowMs;
  }

  /** Calls that came, refused ones included. */
  get fires(): number {
    return this.window.fires;
  }
  get calls(): number {
    return this.window.successes + this.window.failures;
  }
  get successes(): number {
    return this.window.successes;
  }
  get failures(): number {
    return this.window.failures;
  }
  get failureRate(): number {
    const { calls } = this;
    return calls === 0 ? 0 : (this.window.failures * 100) / calls;
  }
  /** The share of slow calls, 0 to 1; undefined where the strategy counts none. */
  get slowCallRatio(): number | undefined {
    return this.trip.slowCallRatio;
  }
  get meanSuccessMs(): number | undefined {
    return this.window.meanSuccessMs;
  }
  get windowMs(): number {
    return this.breaker.options.rollingCountTimeout;
  }
  get volumeThreshold(): number {
    return this.breaker.options.volumeThreshold;
  }
  get errorThresholdPercentage(): number {
    return this.breaker.options.errorThresholdPercentage;
  }

  /** Lets go of what is too old at `now`; to be called before reading. */
  advance(now: number): void {
    this.window.advance(now);
  }

  statsAt(now: number): BreakerStats {
    this.window.advance(now);
    return readStats(this.window, this.latencies, now);
  }

  /** The counts of each bucket, the newest first. */
  bucketsAt(now: number): WindowCounts[] {
    this.window.advance(now);
    return this.window.slices();
  }

  private readOptions(): void {
    const { isFailure, allowWarmUp } = this.breaker.options;
    this.looksAtSuccesses = this.trip.records || isFailure !== undefined;
    this.allowsWarmUp = allowWarmUp;
  }

  private record(failed: boolean, latencyMs: number, weight: number, now: number): void {
    if (this.trip.records) this.trip.record(failed, latencyMs, now);
    if (weight !== 0) this.latencies?.record(latencyMs, now, weight);
  }

  private tracked(): TrackedStrategy {
    const { options, place, environment } = this.breaker;
    return new TrackedStrategy(
      options.trip,
      options.rollingCountTimeout,
      options.rollingCountBuckets,
      place,
      environment,
    );
  }
}

/** Whether two sets of options count over the same time in the same steps. */
export function sameWindow(one: ResolvedCircuitBreaker, other: ResolvedCircuitBreaker): boolean {
  return one.rollingCountTimeout === other.rollingCountTimeout && one.rollingCountBuckets === other.rollingCountBuckets;
}

function windowOf({ rollingCountTimeout, rollingCountBuckets }: ResolvedCircuitBreaker): RollingWindow {
  return new RollingWindow(rollingCountTimeout, rollingCountBuckets);
}
