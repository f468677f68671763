import { nonNegativeMs } from '../options/check.js';
import { madeBackoff, resolveBackoff, type Backoff } from './backoff.js';

export interface DecorrelatedJitterOptions {
  /** The shortest pause, ms. @default 100 */
  initial?: number;
  /** The longest pause, ms. @default 10_000 */
  max?: number;
}

const DEFAULTS: Required<DecorrelatedJitterOptions> = { initial: 100, max: 10_000 };

/**
 * Each pause lies at random between `initial` and three times the pause before.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @publicApi
 */
export function decorrelatedJitter(options: DecorrelatedJitterOptions = {}): Backoff {
  const shape = { initial: nonNegativeMs, max: nonNegativeMs };
  const { initial, max } = resolveBackoff('decorrelatedJitter', options, shape, DEFAULTS);
  return madeBackoff({
    kind: 'decorrelatedJitter',
    options: { initial, max },
    series: (random) => {
      let previous = initial;
      return () => (previous = Math.min(max, initial + random() * Math.max(0, previous * 3 - initial)));
    },
  });
}
