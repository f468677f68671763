import type { CallInfo } from '../../kernel/call-info.js';
import { BACKOFF_FACTORIES } from '../../kernel/backoff/backoff-forms.js';
import type { BackoffRule } from '../../kernel/backoff/backoff-rule.js';
import type { OrData } from '../../kernel/options/or-data.js';
import type { ErrorMatch } from '../../kernel/error-match.js';
import {
  aFunction,
  checkOptions,
  checkValue,
  errorMatch,
  MOST,
  nonNegativeMs,
  positiveMs,
  wholeNumber,
  type Expectation,
} from '../../kernel/options/check.js';
import {
  budgetExpectation,
  checkRetryBudget,
  RETRY_BUDGET_DEFAULTS,
  type RetryBudgetSetting,
} from '../../kernel/retry-budget/retry-budget.options.js';
import { RETRY_OPTIONS_ELSEWHERE } from './foreign-options.js';
import { backoffExpectation, type BackoffSetting } from '../../kernel/backoff/backoff.js';
import { exponential } from '../../kernel/backoff/exponential.js';

/**
 * When and how a failed call is made again.
 *
 * @publicApi
 */
export interface RetryOptions {
  /** How many calls in all, the first included; from 1 to 1_000_000. @default 3 */
  maxAttempts?: number;
  /** The pause before each next attempt. @default exponential({ initial: 100, factor: 2, max: 10_000, jitter: 'full' }) */
  backoff?: BackoffSetting;
  /** Which errors are retried. It replaces the default, which is: every failure but HTTP 501 and 505 and gRPC UNKNOWN. */
  retryOn?: ErrorMatch;
  /** Which errors are never retried; it wins over `retryOn`. @default none */
  abortOn?: ErrorMatch;
  /**
   * Names errors by which the dependency has answered: a class, a list of them, or a predicate `(error, call)`. They are
   * not repeated; as `abortOn`, it wins over `retryOn`. The option of that name of a breaker makes them successes.
   *
   * @example
   * answerOn: (error) => (error as { code?: string }).code === 'CARD_DECLINED'
   * @default none
   */
  answerOn?: ErrorMatch;
  /**
   * Whether a result asks for another attempt; when the attempts run out, the last result is returned. Its `Retry-After`,
   * as of a response with status 429 or 503, counts as that of an error; the backoff gets it in the error's place.
   * @default none
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the result is that of the guarded method
  retryOnResult?: (result: any, call: CallInfo) => boolean;
  /** No attempt begins later than this after the first, ms. @default none */
  maxDuration?: number;
  /** A `Retry-After` of the failure, or of the result that `retryOnResult` names, is a lower bound for the pause; one above this ends the retries, ms. @default 60_000 */
  maxRetryAfter?: number;
  /** In an interceptor: the HTTP methods that may be repeated; what is `@Idempotent()` may be by any. @default ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'] */
  methods?: readonly string[];
  /**
   * The budget that bounds retries and hedges together, one for each policy set, else breaker, else method; `false`:
   * this retry is not bounded by it. @default { ratio: 0.2, perSecond: 0.1, min: 10 }
   */
  budget?: RetryBudgetSetting;
}

/** The forms in which a policy set takes a retry: the number of attempts, or options. */
export type RetrySetting = number | RetryOptions | RetryConfig;

/** Options as configuration holds them: the backoff may be data. */
export type RetryConfig = OrData<RetryOptions, { backoff: BackoffRule }>;

export type ResolvedRetry = Required<Pick<RetryOptions, 'maxAttempts' | 'backoff' | 'maxRetryAfter' | 'methods'>> &
  RetryOptions;

export const RETRY_DEFAULTS = {
  maxAttempts: 3,
  backoff: exponential(),
  maxRetryAfter: 60_000,
  methods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'],
  budget: RETRY_BUDGET_DEFAULTS,
} as const satisfies RetryOptions;

const attempts = wholeNumber(1, MOST.attempts);
const methodList: Expectation = {
  expected: 'a list of HTTP methods in capitals',
  accepts: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' && /^[A-Z-]+$/.test(one)),
};

/** @throws ResilienceConfigurationError */
export function parseRetry(place: string, setting: unknown): RetryOptions {
  if (typeof setting !== 'object') {
    checkValue(place, 'maxAttempts', setting, attempts);
    return { maxAttempts: setting as number };
  }
  checkOptions<RetryOptions>(
    place,
    setting,
    {
      maxAttempts: attempts,
      backoff: { ...backoffExpectation, factories: BACKOFF_FACTORIES },
      retryOn: errorMatch,
      abortOn: errorMatch,
      answerOn: errorMatch,
      retryOnResult: aFunction,
      maxDuration: positiveMs,
      maxRetryAfter: nonNegativeMs,
      methods: methodList,
      budget: budgetExpectation,
    },
    RETRY_OPTIONS_ELSEWHERE,
  );
  checkRetryBudget(place, setting.budget);
  return setting;
}
