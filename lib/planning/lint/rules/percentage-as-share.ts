import { isPlainObject } from '../../../kernel/options/check.js';
import type { SetKey } from '../../../policies/kinds.js';
import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { policyOf } from '../limits.js';
import { percentagesOf } from '../trip-names.js';

const PERCENTAGES = ['errorThresholdPercentage', 'halfOpenErrorThresholdPercentage'];

interface Said {
  readonly policy: SetKey;
  readonly option: string;
  readonly value: unknown;
}

/** A threshold of half a percent, where half of the calls was meant: one failure in two hundred opens the breaker. */
export const PERCENTAGE_AS_SHARE: LintRule<'percentage-as-share'> = {
  code: 'percentage-as-share',
  look: (subject: LintSubject): Finding | undefined => {
    const said = saidBy(subject).find(({ value }) => Number(value) > 0 && Number(value) <= 1);
    if (said === undefined) return undefined;
    const { policy, option } = said;
    const value = Number(said.value);
    return {
      policy,
      problem: `${option} is a percentage, and ${value} % is next to nothing`,
      expected: `a number from 0 to 100, as ${percent(value)} for a share of ${value}`,
      value: `${option} ${value}`,
    };
  },
};

function saidBy({ policies }: LintSubject): Said[] {
  const breaker = policyOf(policies, 'circuitBreaker')?.options ?? {};
  const after = policyOf(policies, 'hedge')?.options.after;
  return [
    ...PERCENTAGES.map((option): Said => ({ policy: 'circuitBreaker', option, value: breaker[option] })),
    ...percentagesOf(breaker.trip)
      // Of a long window a few calls in a thousand may well be meant.
      .filter(({ size = 0, percentage }) => percentage < 1 && size * percentage <= 100)
      .map(({ option, percentage }): Said => ({ policy: 'circuitBreaker', option, value: percentage })),
    { policy: 'hedge', option: 'after.percentile', value: isPlainObject(after) ? after.percentile : undefined },
  ];
}

/** 100 times as much, without the rounding of binary numbers. */
function percent(share: number): number {
  return Number((share * 100).toPrecision(12));
}
