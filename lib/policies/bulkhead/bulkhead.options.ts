import {
  checkOptions,
  checkValue,
  nonNegativeInteger,
  nonNegativeMs,
  offOr,
  positiveInteger,
  positiveMs,
} from '../options/check.js';

/**
 * How many calls may run at once, and how many may wait.
 *
 * @publicApi
 */
export interface BulkheadOptions {
  /** How many run at once, from 1. @default 10 */
  maxConcurrent?: number;
  /** How many wait for a slot, first come first served; from 0. @default 0 */
  maxQueue?: number;
  /** The longest wait, ms, above 0. @default none: as long as the call's own time limits allow */
  maxWait?: number;
  /**
   * Work that goes on after its call was cut keeps its slot at most this long, ms; `false`: until it really ends.
   * @default 60_000
   */
  abandonAfter?: number | false;
}

/** The forms in which a policy set takes a bulkhead: how many run at once, or options. */
export type BulkheadSetting = number | BulkheadOptions;

export type ResolvedBulkhead = Required<Omit<BulkheadOptions, 'maxWait'>> & Pick<BulkheadOptions, 'maxWait'>;

export const BULKHEAD_DEFAULTS = {
  maxConcurrent: 10,
  maxQueue: 0,
  abandonAfter: 60_000,
} as const satisfies BulkheadOptions;

/** @throws ResilienceConfigurationError */
export function parseBulkhead(place: string, setting: unknown): BulkheadOptions {
  if (typeof setting !== 'object') {
    checkValue(place, 'maxConcurrent', setting, positiveInteger);
    return { maxConcurrent: setting as number };
  }
  checkOptions<BulkheadOptions>(place, setting, {
    maxConcurrent: positiveInteger,
    maxQueue: nonNegativeInteger,
    maxWait: positiveMs,
    abandonAfter: offOr(nonNegativeMs),
  });
  return setting;
}
