import { nonNegativeMs } from '../options/check.js';
import { madeBackoff, resolveBackoff, type Backoff } from './backoff.js';

export interface FibonacciOptions {
  /** The first and the second pause, ms. @default 100 */
  initial?: number;
  /** The longest pause, ms. @default 10_000 */
  max?: number;
}

const DEFAULTS: Required<FibonacciOptions> = { initial: 100, max: 10_000 };

/**
 * Pauses that are each the sum of the two before: gentler than doubling.
 *
 * @publicApi
 */
export function fibonacci(options: FibonacciOptions = {}): Backoff {
  const { initial, max } = resolveBackoff(
    'fibonacci',
    options,
    { initial: nonNegativeMs, max: nonNegativeMs },
    DEFAULTS,
  );
  return madeBackoff({
    kind: 'fibonacci',
    options: { initial, max },
    series: () => (attempt) => {
      let [current, next] = [initial, initial];
      for (let i = 1; i < attempt && current < max && next > 0; i++) [current, next] = [next, current + next];
      return Math.min(max, current);
    },
  });
}
