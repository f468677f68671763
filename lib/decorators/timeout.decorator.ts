import type { TimeoutOptions } from '../policies/timeout/timeout.options.js';
import { policyDecorator } from './guard.js';
import type { GuardDecorator } from './types.js';

/**
 * Ends a call with {@link TimeoutException} when it takes too long, and aborts the attempt's signal.
 *
 * A number bounds each attempt in ms, `total` the whole call with its retries. A name, or nothing, takes the value
 * from `policies`; there is no built-in one. `false`: no limit here, whatever the class, a set or a breaker says.
 *
 * @example
 * @Timeout({ perAttempt: 500, total: 2_000 })
 * find(id: string, @Signal() signal?: AbortSignal): Promise<Order> { ... }
 *
 * @publicApi
 */
export function Timeout(setting?: number | TimeoutOptions | string | false): GuardDecorator;
export function Timeout(...args: unknown[]): GuardDecorator {
  return policyDecorator('timeout', '@Timeout(500)', args) as GuardDecorator;
}
