import type { AdaptiveOptions } from './adaptive.options.js';

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
