import type { BulkheadSetting } from './bulkhead/bulkhead.options.js';
import type { CircuitBreakerSetting } from './circuit-breaker/circuit-breaker.options.js';
import type { CoalesceSetting } from './coalesce/coalesce.options.js';
import type { FallbackSetting } from './fallback/fallback.options.js';
import type { RateLimitSetting } from './rate-limit/rate-limit.options.js';
import type { HedgeSetting } from './hedge/hedge.options.js';
import type { RecoverSetting } from './recover/recover.options.js';
import type { StateScope } from '../kernel/options/state-scope.js';
import type { RetrySetting } from './retry/retry.options.js';
import type { TimeoutSetting } from './timeout/timeout.options.js';

/** What a method gives: one answer, or a stream of one kind or the other. */
export type Returns = 'promise' | 'observable' | 'asyncIterable';

/**
 * Policies that belong together. Each key takes what the decorator of that name takes; `false` turns the policy off,
 * whatever others say.
 *
 * @example
 * const payments: PolicySet = { timeout: 800, retry: 3, circuitBreaker: { resetTimeout: 5_000 }, bulkhead: 20 };
 *
 * @publicApi
 */
export interface PolicySet {
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
  recover?: RecoverSetting<unknown, never> | false;
  fallback?: FallbackSetting<unknown, never> | false;
  timeout?: TimeoutSetting | false;
  coalesce?: CoalesceSetting | false;
  retry?: RetrySetting | false;
  hedge?: HedgeSetting | false;
  circuitBreaker?: CircuitBreakerSetting | string | false;
  rateLimit?: RateLimitSetting | string | false;
  bulkhead?: BulkheadSetting | string | false;
}

/** The policies that a set can hold. */
export const POLICY_KEYS = [
  'recover',
  'fallback',
  'timeout',
  'coalesce',
  'retry',
  'hedge',
  'circuitBreaker',
  'rateLimit',
  'bulkhead',
] as const;

/** A policy that a set can hold. */
export type SetKey = (typeof POLICY_KEYS)[number];

/** Policies whose instances keep state, so that calls meet in them. */
export const STATEFUL: ReadonlySet<SetKey> = new Set(['circuitBreaker', 'rateLimit', 'bulkhead']);
