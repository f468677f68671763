import { MOST, nonNegativeMs, numberUpTo, oneOf } from '../options/check.js';
import { madeBackoff, resolveBackoff, type Backoff, type Jitter } from './backoff.js';

export interface ExponentialOptions {
  /** The first pause, ms. @default 100 */
  initial?: number;
  /** What each pause is multiplied by for the next, at least 1. @default 2 */
  factor?: number;
  /** The longest pause, ms. @default 10_000 */
  max?: number;
  /** `'full'`: anywhere from 0 to the pause; `'equal'`: in its second half; `'none'`. @default 'full' */
  jitter?: Jitter;
}

const DEFAULTS: Required<ExponentialOptions> = { initial: 100, factor: 2, max: 10_000, jitter: 'full' };

const growth = numberUpTo(MOST.factor, 'a number of at least 1', (value) => value >= 1);

/**
 * Pauses that double (or grow by `factor`), spread at random so that clients that failed together do not return
 * together.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @publicApi
 */
export function exponential(options: ExponentialOptions = {}): Backoff {
  const shape = { initial: nonNegativeMs, factor: growth, max: nonNegativeMs, jitter: oneOf('none', 'full', 'equal') };
  const resolved = resolveBackoff('exponential', options, shape, DEFAULTS);
  const { initial, factor, max, jitter } = resolved;
  return madeBackoff({
    kind: 'exponential',
    options: { ...resolved },
    series: (random) => (attempt) => {
      // Of a factor beyond all numbers, 0 times as much would be no number.
      const ms = initial === 0 ? 0 : Math.min(max, initial * factor ** (attempt - 1));
      return spread(ms, jitter, random);
    },
  });
}

function spread(ms: number, jitter: Jitter, random: () => number): number {
  if (jitter === 'none') return ms;
  return jitter === 'full' ? ms * random() : ms / 2 + (ms / 2) * random();
}
