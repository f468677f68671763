import { checkValue, MOST, percentage as percentageOption, wholeNumber } from '../../options/check.js';
import { made } from '../../options/recipe.js';
import type { TripStrategy, TripTracker } from './trip-strategy.js';

export interface CountWindowOptions {
  /** How many of the last calls are looked at, from 1 to 1_000_000. */
  size: number;
  /** The share of failures that opens, 0 to 100; reached at >=. */
  percentage: number;
}

/**
 * Opens when enough of the last `size` calls failed, however long ago they were. It is judged once that many calls
 * were seen.
 *
 * @publicApi
 */
export function countWindow({ size, percentage }: CountWindowOptions): TripStrategy {
  const place = 'trip strategy countWindow()';
  checkValue(place, "option 'size'", size, wholeNumber(1, MOST.window));
  checkValue(place, "option 'percentage'", percentage, percentageOption);
  const strategy: TripStrategy = {
    name: `countWindow(${size}, ${percentage} %)`,
    shouldTrip: () => false,
    track: () => new LastCalls(size, percentage),
  };
  return made(strategy, 'countWindow', { size, percentage });
}

/** The outcomes of the last calls in a ring. */
class LastCalls implements TripTracker {
  readonly #failed: Uint8Array;
  #seen = 0;
  #failures = 0;

  constructor(
    private readonly size: number,
    private readonly percentage: number,
  ) {
    this.#failed = new Uint8Array(size);
  }

  record(failed: boolean): void {
    const index = this.#seen++ % this.size;
    this.#failures += Number(failed) - (this.#failed[index] as number);
    this.#failed[index] = Number(failed);
  }

  reset(): void {
    this.#failed.fill(0);
    this.#seen = this.#failures = 0;
  }

  shouldTrip(): boolean | string {
    if (this.#seen < this.size || this.#failures === 0 || (this.#failures * 100) / this.size < this.percentage)
      return false;
    return `${this.#failures} of the last ${this.size} calls failed, limit ${this.percentage} %`;
  }
}
