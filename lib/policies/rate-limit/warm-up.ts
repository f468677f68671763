/**
 * A cold start. Time without use gathers permits; the more of them lie there, the colder it is, and the longer each one
 * that is taken keeps the next call waiting: `coldFactor` times as long at most. Below a threshold they cost what they
 * do in steady use. The time that taking them costs is the area under that line.
 *
 * From cold, `over` ms of full use lead down to the threshold; `over` ms without use lead from nothing to cold.
 *
 * @see https://github.com/google/guava/blob/master/guava/src/com/google/common/util/concurrent/SmoothRateLimiter.java
 * the model and its formulas (SmoothWarmingUp)
 * @see https://github.com/alibaba/Sentinel/blob/master/sentinel-core/src/main/java/com/alibaba/csp/sentinel/slots/block/flow/controller/WarmUpController.java
 * the same line for a limiter that refuses
 */
export class WarmUp {
  /** What a rest gathers at most: it is cold then. */
  readonly maxPermits: number;
  readonly #threshold: number;
  /** By how much an interval grows with each permit above the threshold, ms. */
  readonly #slope: number;
  readonly #coolDownIntervalMs: number;

  /** @param intervalMs the time that a unit takes in steady use. */
  constructor(
    private readonly intervalMs: number,
    over: number,
    coldFactor: number,
  ) {
    const coldIntervalMs = intervalMs * coldFactor;
    this.#threshold = (0.5 * over) / intervalMs;
    const above = (2 * over) / (intervalMs + coldIntervalMs);
    this.maxPermits = this.#threshold + above;
    this.#slope = (coldIntervalMs - intervalMs) / above;
    this.#coolDownIntervalMs = over / this.maxPermits;
  }

  /** How long a call of `cost` keeps the next one waiting while `permits` lie there, ms. */
  timeFor(cost: number, permits: number): number {
    const above = Math.max(0, permits - this.#threshold);
    const cold = Math.min(above, cost);
    const mean = this.intervalMs + this.#slope * (above - cold / 2);
    return cold * mean + (cost - cold) * this.intervalMs;
  }

  /** What lies there after `idleMs` without use. */
  cooled(permits: number, idleMs: number): number {
    return Math.min(this.maxPermits, permits + idleMs / this.#coolDownIntervalMs);
  }
}
