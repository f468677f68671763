import type { AdaptiveOptions } from '../kernel/adaptive-limit/adaptive.options.js';
import type { CountWindowOptions } from './circuit-breaker/trip/count-window.js';
import type { SlowCallRateOptions } from './circuit-breaker/trip/slow-call-rate.js';
import type { DecorrelatedJitterOptions } from './retry/backoff/decorrelated-jitter.js';
import type { ExponentialOptions } from './retry/backoff/exponential.js';
import type { FibonacciOptions } from './retry/backoff/fibonacci.js';
import type { LinearOptions } from './retry/backoff/linear.js';

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

/**
 * A trip strategy as data, in the same form.
 *
 * @publicApi
 */
export type TripRule = SingleTripRule | { anyOf: readonly SingleTripRule[] };

/** One trip strategy as data. */
export type SingleTripRule =
  | { failureRate: Record<string, never> }
  | { failureCount: number }
  | { consecutiveFailures: number }
  | { countWindow: CountWindowOptions }
  | { slowCallRate: SlowCallRateOptions };

/**
 * How many at once as data: a number, or what finds it.
 *
 * @publicApi
 */
export type ConcurrencyRule = number | AdaptiveRule;

/**
 * A limit that follows latency, as data.
 *
 * @publicApi
 */
export interface AdaptiveRule {
  adaptive: AdaptiveOptions;
}

/** Options some of which may be data, in place of what a function of ours makes. */
export type OrData<O, D> = Omit<O, keyof D> & { [K in keyof D & keyof O]?: O[K] | D[K] };
