import type { RetryConfig, RetrySetting } from '../policies/retry/retry.options.js';
import { policyDecorator } from './guard.js';
import type { GuardDecorator } from './types.js';

/**
 * Makes a failed call again. Refusals, other 4xx answers and the caller's own abort are not retried, and no attempt
 * begins that could not end in time. When the attempts run out, the last error is thrown as it is.
 *
 * A number is how many calls are made in all, the first included.
 *
 * @example
 * @Retry({ maxAttempts: 4, backoff: exponential({ initial: 50 }) })
 * load(): Promise<Catalogue> { ... }
 *
 * @publicApi
 */
export function Retry(setting?: RetrySetting | false): GuardDecorator;
export function Retry(name: string, options?: RetryConfig): GuardDecorator;
export function Retry(...args: unknown[]): GuardDecorator {
  return policyDecorator('retry', '@Retry()', args) as GuardDecorator;
}
