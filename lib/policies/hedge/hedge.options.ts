import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import {
  checkOptions,
  isPlainObject,
  MAX_DELAY_MS,
  MOST,
  nonNegativeMs,
  positiveMs,
  show,
  type Expectation,
  wholeNumber,
} from '../../kernel/options/check.js';
import {
  budgetExpectation,
  checkRetryBudget,
  RETRY_BUDGET_DEFAULTS,
  type RetryBudgetSetting,
} from '../../kernel/retry-budget/retry-budget.options.js';

/**
 * A delay that follows the method's own latency: the time in which this share of its first attempts has answered,
 * over the last minute. Until it has seen enough of them (20, or as many as it takes for one to lie above), it is
 * `max`, or without that there is no hedge.
 *
 * @see https://research.google/pubs/the-tail-at-scale/ Dean and Barroso: hedging after the 95th percentile costs some
 * 5 % more load
 * @publicApi
 */
export interface HedgePercentile {
  /** Above 0, below 100: 95 hedges the slowest twentieth. */
  percentile: number;
  /** The delay is not shorter, ms. @default 1 */
  min?: number;
  /** The delay is not longer, ms. @default none */
  max?: number;
}

/**
 * When a further attempt begins while the first has not answered.
 *
 * @publicApi
 */
export interface HedgeOptions {
  /** How long an attempt may be without an answer before the next begins: ms above 0, or a percentile. */
  after?: number | HedgePercentile;
  /** How many attempts may run in all, the first included; from 2 to 1_000. @default 2 */
  maxAttempts?: number;
  /**
   * The budget that bounds retries and hedges together, one for each policy set, else breaker, else method; `false`:
   * these hedges are not bounded by it. @default { ratio: 0.2, perSecond: 0.1, min: 10 }
   */
  budget?: RetryBudgetSetting;
}

/** What a policy set takes as a hedge. */
export type HedgeSetting = HedgeOptions;

export type ResolvedHedge = Required<HedgeOptions>;

export const HEDGE_DEFAULTS = { maxAttempts: 2, budget: RETRY_BUDGET_DEFAULTS } as const satisfies HedgeOptions;

const delayExpectation: Expectation = {
  expected: `a number of milliseconds above 0 and at most ${MAX_DELAY_MS}, or { percentile, min, max }`,
  accepts: (value) => positiveMs.accepts(value) || isPlainObject(value),
};
const atLeastTwo = wholeNumber(2, MOST.hedges);
const openPercentage: Expectation = {
  expected: 'a number above 0 and below 100',
  accepts: (value) => typeof value === 'number' && value > 0 && value < 100,
};

/** @throws ResilienceConfigurationError */
export function parseHedge(place: string, setting: unknown): HedgeOptions {
  checkOptions<HedgeOptions>(place, setting, {
    after: delayExpectation,
    maxAttempts: atLeastTwo,
    budget: budgetExpectation,
  });
  checkRetryBudget(place, setting.budget);
  if (typeof setting.after === 'object') checkPercentile(`${place}.after`, setting.after);
  return setting;
}

function checkPercentile(place: string, after: HedgePercentile): void {
  checkOptions<HedgePercentile>(place, after, { percentile: openPercentage, min: nonNegativeMs, max: positiveMs });
  const { percentile, min = 1, max = Infinity } = after;
  if ((percentile as unknown) === undefined)
    throw new ResilienceConfigurationError(
      place,
      `option 'percentile': expected ${openPercentage.expected}, got undefined`,
    );
  if (min > max)
    throw new ResilienceConfigurationError(place, `option 'max': expected at least 'min' (${min}), got ${show(max)}`);
}

/** @throws ResilienceConfigurationError when nothing says how long to wait. */
export function resolveHedge(place: string, options: HedgeOptions): ResolvedHedge {
  if (options.after === undefined) {
    throw new ResilienceConfigurationError(
      place,
      `a hedge has no built-in delay: expected option 'after' here, in the named policy set, or in policies.default.hedge; got ${show(undefined)}`,
    );
  }
  return options as ResolvedHedge;
}
