import type { Returns } from '../kernel/method-kind.js';
import type { StateScope } from '../kernel/options/state-scope.js';
import type { PolicySettings } from './kinds.js';

/**
 * Policies that belong together. Each key takes what the decorator of that name takes; `false` turns the policy off,
 * whatever others say.
 *
 * @example
 * const payments: PolicySet = { timeout: 800, retry: 3, circuitBreaker: { resetTimeout: 5_000 }, bulkhead: 20 };
 *
 * @publicApi
 */
export interface PolicySet extends PolicySettings {
  /**
   * The name of its stateful policies (breaker, rate limit, bulkhead) and of its retry budget; without one each method
   * has its own.
   */
  name?: string;
  /** What the guarded methods give, where neither `async` nor the declared type says so. @default 'promise' */
  returns?: Returns;
  /**
   * Whom the state of its breaker, rate limit and bulkhead belongs to, where they do not say so themselves: the code, or
   * each instance of a static provider. `execute()` always means the set's name itself. @default 'class'
   */
  scope?: StateScope;
}
