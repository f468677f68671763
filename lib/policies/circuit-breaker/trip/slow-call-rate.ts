import { BucketRing } from '../../../kernel/bucket-ring.js';
import { checkOptions, checkValue, percentage as percentageOption, positiveMs } from '../../../kernel/options/check.js';
import { made } from '../../../kernel/options/recipe.js';
import { seconds, type TripStrategy, type TripTracker, type TripWindow } from './trip-strategy.js';

export interface SlowCallRateOptions {
  /** A call that takes longer than this is slow, ms. */
  slowerThan: number;
  /** The share of slow calls that opens, 0 to 100; reached at >=. */
  percentage: number;
}

/**
 * Opens when enough calls of the rolling window are slow, also while they succeed. It waits for `volumeThreshold`. In
 * half-open a slow probe has failed, whatever it gave.
 *
 * @publicApi
 */
export function slowCallRate(options: SlowCallRateOptions): TripStrategy {
  const place = 'trip strategy slowCallRate()';
  checkOptions<SlowCallRateOptions>(place, options, { slowerThan: positiveMs, percentage: percentageOption });
  const { slowerThan, percentage } = options;
  checkValue(place, "option 'slowerThan'", slowerThan, positiveMs);
  checkValue(place, "option 'percentage'", percentage, percentageOption);
  const strategy: TripStrategy = {
    name: `slowCallRate(${slowerThan} ms, ${percentage} %)`,
    shouldTrip: () => false,
    track: (windowMs, buckets) => new SlowCalls(slowerThan, percentage, windowMs / buckets, buckets),
  };
  return made(strategy, 'slowCallRate', { slowerThan, percentage });
}

const ALL = 0;
const SLOW = 1;
const FIELDS = 2;

/** Slow calls in the buckets of the rolling window. */
class SlowCalls implements TripTracker {
  readonly #calls: BucketRing;

  constructor(
    private readonly slowerThan: number,
    private readonly percentage: number,
    bucketMs: number,
    buckets: number,
  ) {
    this.#calls = new BucketRing(bucketMs, buckets, FIELDS);
  }

  record(_failed: boolean, latencyMs: number, now: number): void {
    this.#calls.advance(now);
    this.#calls.add(ALL, 1);
    if (latencyMs > this.slowerThan) this.#calls.add(SLOW, 1);
  }

  /** How slow it would have been nobody knows, unless it was slow already. */
  recordLost(ranMs: number, now: number): void {
    if (ranMs > this.slowerThan) this.record(false, ranMs, now);
  }

  failsProbe(latencyMs: number): boolean | string {
    return latencyMs > this.slowerThan && `a probe took ${Math.round(latencyMs)} ms, limit ${this.slowerThan} ms`;
  }

  get slowCallRatio(): number {
    const all = this.#calls.total(ALL);
    return all === 0 ? 0 : this.#calls.total(SLOW) / all;
  }

  reset(): void {
    this.#calls.clear();
  }

  shouldTrip({ volumeThreshold, windowMs }: TripWindow): boolean | string {
    const slow = this.#calls.total(SLOW);
    const all = this.#calls.total(ALL);
    if (slow === 0 || all < volumeThreshold) return false;
    if ((slow * 100) / all < this.percentage) return false;
    return `${slow} of ${all} calls in ${seconds(windowMs)} took over ${this.slowerThan} ms, limit ${this.percentage} %`;
  }
}
