import {
  checkOptions,
  checkValue,
  MOST,
  percentage as percentageOption,
  wholeNumber,
  type Expectation,
} from '../../../kernel/options/check.js';
import { made } from '../../../kernel/options/recipe.js';
import type { TripStrategy, TripTracker } from './trip-strategy.js';

export interface CountWindowOptions {
  /** How many of the last calls are looked at, from 1 to 1_000_000. */
  size: number;
  /** The share of failures that opens, 0 to 100; reached at >=. */
  percentage: number;
  /** From how many calls on it is judged, 1 to `size`; the share is then that of the calls so far. @default size */
  minimum?: number;
}

/**
 * Opens when enough of the last `size` calls failed, however long ago they were. It is judged once `minimum` calls were
 * seen, by default once the window is full.
 *
 * @example
 * countWindow({ size: 100, percentage: 50, minimum: 10 }) // opens at 5 failures of the first 10 calls
 *
 * @publicApi
 */
export function countWindow(options: CountWindowOptions): TripStrategy {
  const place = 'trip strategy countWindow()';
  checkOptions<CountWindowOptions>(place, options, { size: calls, percentage: percentageOption, minimum: byTheSize });
  const { size, percentage, minimum = size } = options;
  checkValue(place, "option 'size'", size, calls);
  checkValue(place, "option 'percentage'", percentage, percentageOption);
  checkValue(place, "option 'minimum'", minimum, upTo(size));
  const early = minimum < size;
  const strategy: TripStrategy = {
    name: `countWindow(${size}, ${percentage} %${early ? `, from ${minimum}` : ''})`,
    shouldTrip: () => false,
    track: () => new LastCalls(size, percentage, minimum),
  };
  return made(strategy, 'countWindow', { size, percentage, ...(early ? { minimum } : {}) });
}

const calls = wholeNumber(1, MOST.window);
/** What it may be is said with the size beside it. */
const byTheSize: Expectation = { expected: 'a whole number', accepts: () => true };
const upTo = (size: number): Expectation => ({
  expected: `a whole number from 1 to 'size' (${size})`,
  accepts: (value) => wholeNumber(1, size).accepts(value),
});

/** The outcomes of the last calls in a ring. */
class LastCalls implements TripTracker {
  readonly #failed: Uint8Array;
  #seen = 0;
  #failures = 0;

  constructor(
    private readonly size: number,
    private readonly percentage: number,
    private readonly minimum: number,
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
    if (this.#seen < this.minimum || this.#failures === 0) return false;
    const calls = Math.min(this.#seen, this.size);
    if (this.#failures * 100 < this.percentage * calls) return false;
    return `${this.#failures} of the last ${calls} calls failed, limit ${this.percentage} %`;
  }
}
