import { isDeepStrictEqual } from 'node:util';
import { checkOptions, isPlainObject, MOST, numberUpTo, show, type Expectation } from '../options/check.js';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';

/**
 * How many further attempts, retries and hedges alike, may be made beside the first ones. It keeps retries from
 * multiplying the load on a dependency that is down.
 *
 * @see https://finagle.github.io/blog/2016/02/08/retry-budgets Finagle's RetryBudget: a share of the calls, earned
 * within 10 s, and a reserve for those who make few
 * @publicApi
 */
export interface RetryBudgetOptions {
  /** How many further attempts each first attempt earns; from 0. @default 0.2 */
  ratio?: number;
  /** How many further attempts each second earns; from 0. @default 0.1 */
  perSecond?: number;
  /** The least that it can hold, and what it holds at the start; from 0. @default 10 */
  min?: number;
}

/** The forms in which a retry and a hedge take their budget; `false`: they are not bounded by one. */
export type RetryBudgetSetting = RetryBudgetOptions | false;

export type ResolvedRetryBudget = Required<RetryBudgetOptions>;

export const RETRY_BUDGET_DEFAULTS: ResolvedRetryBudget = { ratio: 0.2, perSecond: 0.1, min: 10 };

const nonNegativeNumber = numberUpTo(MOST.count, 'a number of at least 0', (value) => value >= 0);

/** What the option `budget` accepts; the options inside are checked by {@link checkRetryBudget}. */
export const budgetExpectation: Expectation = {
  expected: 'false, or { ratio, perSecond, min }',
  accepts: (value) => value === false || isPlainObject(value),
};

/** @throws ResilienceConfigurationError */
export function checkRetryBudget(place: string, setting: RetryBudgetSetting | undefined): void {
  if (setting === undefined || setting === false) return;
  const number = nonNegativeNumber;
  checkOptions<RetryBudgetOptions>(`${place}.budget`, setting, { ratio: number, perSecond: number, min: number });
}

/** What a method declares for its budget: with the defaults filled in; undefined: nothing of its own. */
export interface DeclaredRetryBudget {
  readonly place: string;
  readonly options: ResolvedRetryBudget;
}

/** @throws ResilienceConfigurationError when one budget has two definitions that differ. */
export function refuseOtherBudget(name: string, known: DeclaredRetryBudget, other: DeclaredRetryBudget): void {
  if (isDeepStrictEqual(known.options, other.options)) return;
  throw new ResilienceConfigurationError(
    other.place,
    `the retry budget '${name}' has another definition at ${known.place}: expected ${show(known.options)}, got ${show(other.options)}`,
  );
}
