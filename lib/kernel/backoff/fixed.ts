import { checkValue, nonNegativeMs } from '../options/check.js';
import { madeBackoff, type Backoff } from './backoff.js';

/**
 * The same pause before every attempt.
 *
 * @param ms from 0.
 * @publicApi
 */
export function fixed(ms: number): Backoff {
  checkValue('backoff fixed()', 'ms', ms, nonNegativeMs);
  return madeBackoff({ kind: 'fixed', options: { ms }, series: () => () => ms });
}
