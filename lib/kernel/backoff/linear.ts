import { nonNegativeMs } from '../options/check.js';
import { madeBackoff, resolveBackoff, type Backoff } from './backoff.js';

export interface LinearOptions {
  /** The first pause, ms. @default 100 */
  initial?: number;
  /** How much longer each next one is, ms. @default 100 */
  step?: number;
  /** The longest pause, ms. @default 10_000 */
  max?: number;
}

const DEFAULTS: Required<LinearOptions> = { initial: 100, step: 100, max: 10_000 };

/**
 * Pauses that grow by the same step.
 *
 * @publicApi
 */
export function linear(options: LinearOptions = {}): Backoff {
  const shape = { initial: nonNegativeMs, step: nonNegativeMs, max: nonNegativeMs };
  const { initial, step, max } = resolveBackoff('linear', options, shape, DEFAULTS);
  return madeBackoff({
    kind: 'linear',
    options: { initial, step, max },
    series: () => (attempt) => Math.min(max, initial + step * (attempt - 1)),
  });
}
