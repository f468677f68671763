import type { DecorrelatedJitterOptions } from './decorrelated-jitter.js';
import type { ExponentialOptions } from './exponential.js';
import type { FibonacciOptions } from './fibonacci.js';
import type { LinearOptions } from './linear.js';

/**
 * A backoff as data: an object whose one key names the function that makes it. YAML and JSON can hold it, in rules and in
 * the module's options alike.
 *
 * @example
 * const backoff: BackoffRule = { exponential: { initial: 50 } };
 *
 * @publicApi
 */
export type BackoffRule =
  | { fixed: number }
  | { linear: LinearOptions }
  | { exponential: ExponentialOptions }
  | { fibonacci: FibonacciOptions }
  | { decorrelatedJitter: DecorrelatedJitterOptions };
