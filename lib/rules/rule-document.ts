import type { BulkheadOptions } from '../policies/bulkhead/bulkhead.options.js';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker/circuit-breaker.options.js';
import type { ConcurrencyRule } from '../kernel/adaptive-limit/concurrency-rule.js';
import type { BackoffRule } from '../kernel/backoff/backoff-rule.js';
import type { TripRule } from '../policies/circuit-breaker/trip/trip-rule.js';
import type { HedgeOptions } from '../policies/hedge/hedge.options.js';
import type { RateLimitOptions } from '../policies/rate-limit/rate-limit.options.js';
import type { RetryOptions } from '../policies/retry/retry.options.js';
import type { TimeoutSetting } from '../policies/timeout/timeout.options.js';

/**
 * What a rule can say of each policy: the options of the decorator of that name, as far as they are data. `false` turns
 * the policy off; what the rule does not name stays as the code has it, functions above all.
 *
 * @publicApi
 */
export interface PolicyRules {
  recover?: true | { value?: unknown; log?: boolean } | false;
  fallback?: { value: unknown } | false;
  timeout?: TimeoutSetting | false;
  coalesce?: { scope?: 'instance' | 'class' } | false;
  retry?:
    | number
    | (Omit<RetryOptions, 'retryOn' | 'abortOn' | 'answerOn' | 'retryOnResult' | 'backoff'> & { backoff?: BackoffRule })
    | false;
  hedge?: HedgeOptions | false;
  circuitBreaker?:
    | true
    | (Omit<
        CircuitBreakerOptions,
        'errorFilter' | 'answerOn' | 'isFailure' | 'key' | 'group' | 'scope' | 'trip' | 'resetTimeout'
      > & {
        trip?: TripRule;
        resetTimeout?: number | BackoffRule;
      })
    | false;
  rateLimit?: Omit<RateLimitOptions, 'key' | 'cost' | 'scope'> | false;
  bulkhead?:
    | number
    | (Omit<BulkheadOptions, 'priority' | 'scope' | 'maxConcurrent'> & { maxConcurrent?: ConcurrencyRule })
    | false;
}

/**
 * Rules as plain data, which JSON and YAML can hold.
 *
 * @example
 * const document: RuleDocument = {
 *   version: 7,
 *   policies: { payments: { timeout: 500, circuitBreaker: { trip: { consecutiveFailures: 5 } } } },
 *   methods: { 'MailService.send': { retry: false } },
 * };
 *
 * @publicApi
 */
export interface RuleDocument {
  /** Whatever tells documents apart; it is told in events, and has no effect. */
  readonly version?: number | string;
  /** By the name of a set, or of what decorators share under a name. */
  readonly policies?: Readonly<Record<string, PolicyRules>>;
  /** By `Class.method`, as `plan()` names it. */
  readonly methods?: Readonly<Record<string, PolicyRules>>;
}

/**
 * What differs between two rule documents at one place.
 *
 * @publicApi
 */
export interface RuleChange {
  /** Where, such as `policies.payments.timeout.perAttempt`. */
  readonly path: string;
  /** What the rules said before; undefined: nothing. */
  readonly from: unknown;
  /** What they say now; undefined: nothing. */
  readonly to: unknown;
}
