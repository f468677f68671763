import type { CountWindowOptions } from './count-window.js';
import type { SlowCallRateOptions } from './slow-call-rate.js';

/**
 * A trip strategy as data: an object whose one key names the function that makes it.
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
