import { checkValue, percentage as percentageOption, positiveMs } from '../../../kernel/options/check.js';
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
export function slowCallRate({ slowerThan, percentage }: SlowCallRateOptions): TripStrategy {
  const place = 'trip strategy slowCallRate()';
  checkValue(place, "option 'slowerThan'", slowerThan, positiveMs);
  checkValue(place, "option 'percentage'", percentage, percentageOption);
  const strategy: TripStrategy = {
    name: `slowCallRate(${slowerThan} ms, ${percentage} %)`,
    shouldTrip: () => false,
    track: (windowMs, buckets) => new SlowCalls(slowerThan, percentage, windowMs / buckets, buckets),
  };
  return made(strategy, 'slowCallRate', { slowerThan, percentage });
}

/** Slow calls in the buckets of the rolling window. */
class SlowCalls implements TripTracker {
  readonly #slow: Uint32Array;
  readonly #all: Uint32Array;
  #tick = 0;
  #slowTotal = 0;
  #total = 0;

  constructor(
    private readonly slowerThan: number,
    private readonly percentage: number,
    private readonly bucketMs: number,
    private readonly buckets: number,
  ) {
    this.#slow = new Uint32Array(buckets);
    this.#all = new Uint32Array(buckets);
  }

  record(_failed: boolean, latencyMs: number, now: number): void {
    this.#advance(Math.floor(now / this.bucketMs));
    const slow = Number(latencyMs > this.slowerThan);
    const bucket = this.#tick % this.buckets;
    this.#slow[bucket] = (this.#slow[bucket] as number) + slow;
    this.#all[bucket] = (this.#all[bucket] as number) + 1;
    this.#slowTotal += slow;
    this.#total++;
  }

  /** How slow it would have been nobody knows, unless it was slow already. */
  recordLost(ranMs: number, now: number): void {
    if (ranMs > this.slowerThan) this.record(false, ranMs, now);
  }

  failsProbe(latencyMs: number): boolean | string {
    return latencyMs > this.slowerThan && `a probe took ${Math.round(latencyMs)} ms, limit ${this.slowerThan} ms`;
  }

  reset(): void {
    this.#slow.fill(0);
    this.#all.fill(0);
    this.#slowTotal = this.#total = 0;
  }

  shouldTrip({ volumeThreshold, windowMs }: TripWindow): boolean | string {
    if (this.#slowTotal === 0 || this.#total < volumeThreshold) return false;
    if ((this.#slowTotal * 100) / this.#total < this.percentage) return false;
    return `${this.#slowTotal} of ${this.#total} calls in ${seconds(windowMs)} took over ${this.slowerThan} ms, limit ${this.percentage} %`;
  }

  #advance(tick: number): void {
    if (tick - this.#tick >= this.buckets) this.reset();
    else
      for (let passed = this.#tick + 1; passed <= tick; passed++) {
        const bucket = passed % this.buckets;
        this.#slowTotal -= this.#slow[bucket] as number;
        this.#total -= this.#all[bucket] as number;
        this.#slow[bucket] = this.#all[bucket] = 0;
      }
    this.#tick = Math.max(this.#tick, tick);
  }
}
