import { checkOptions, MOST, numberUpTo, oneOf, positiveMs, wholeNumber } from '../../kernel/options/check.js';
import { stateScope, type StateScope } from '../../kernel/options/state-scope.js';

/**
 * How much of the calls is refused here, when a dependency refuses or fails so many of them.
 *
 * @publicApi
 */
export interface AdaptiveThrottleOptions {
  /**
   * How many calls are sent for each one that the dependency accepts, from 1 to 1_000. The lower, the less it is bothered
   * with what it will refuse, and the later it is noticed that it accepts more again: 2 lets it refuse as many as it
   * accepts, 1.1 suits one for which refusing costs as much as answering. @default 2
   */
  factor?: number;
  /** Over which time calls are counted, ms, above 0. @default 60_000 */
  window?: number;
  /** How many calls must have ended in the window before any is refused, from 1 to 1_000_000. @default 10 */
  volumeThreshold?: number;
  /** The largest share of calls that is refused, percent, from 0 to 100: the others find out that all is well again. @default 90 */
  maxRefusedPercentage?: number;
  /**
   * Whether all instances of the class share it, or each instance of a static provider has its own: `name#2` from the
   * second on. On a request-scoped or transient provider `'instance'` is a start-up error. @default 'class'
   */
  scope?: StateScope;
  /** `'metricsOnly'`: it counts and tells what it would have refused (`refused` events with `metricsOnly`). @default 'normal' */
  mode?: 'normal' | 'metricsOnly';
}

type Optional = 'scope';
export type ResolvedAdaptiveThrottle = Required<Omit<AdaptiveThrottleOptions, Optional>> &
  Pick<AdaptiveThrottleOptions, Optional>;

export const ADAPTIVE_THROTTLE_DEFAULTS = {
  factor: 2,
  window: 60_000,
  volumeThreshold: 10,
  maxRefusedPercentage: 90,
  mode: 'normal',
} as const satisfies AdaptiveThrottleOptions;

const factorFromOne = numberUpTo(1_000, 'a number from 1', (value) => value >= 1);
const percentage = numberUpTo(100, 'a number from 0', (value) => value >= 0);

/** @throws ResilienceConfigurationError */
export function parseAdaptiveThrottle(place: string, setting: unknown): AdaptiveThrottleOptions {
  checkOptions<AdaptiveThrottleOptions>(place, setting, {
    factor: factorFromOne,
    window: positiveMs,
    volumeThreshold: wholeNumber(1, MOST.atOnce),
    maxRefusedPercentage: percentage,
    scope: stateScope,
    mode: oneOf('normal', 'metricsOnly'),
  });
  return setting;
}
