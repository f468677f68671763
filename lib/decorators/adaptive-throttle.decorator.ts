import type { AdaptiveThrottleOptions } from '../policies/adaptive-throttle/adaptive-throttle.options.js';
import { policyDecorator } from './guard.js';
import type { GuardDecorator } from './types.js';

/**
 * Refuses calls here, in proportion to those that the dependency refuses or fails, with {@link CallThrottledException}: a
 * dependency that can do a part of the work goes on doing it, where a circuit breaker would take away all of it.
 *
 * Without a name each method counts for itself; methods that name one count together. `false`: none here, whatever the
 * class or a set says.
 *
 * @example
 * @AdaptiveThrottle({ factor: 1.1 })
 * search(query: string): Promise<Hit[]> { ... }
 *
 * @see https://sre.google/sre-book/handling-overload/
 * @publicApi
 */
export function AdaptiveThrottle(options?: AdaptiveThrottleOptions | false): GuardDecorator;
export function AdaptiveThrottle(name: string, options?: AdaptiveThrottleOptions): GuardDecorator;
export function AdaptiveThrottle(...args: unknown[]): GuardDecorator {
  return policyDecorator('adaptiveThrottle', '@AdaptiveThrottle()', args) as GuardDecorator;
}
