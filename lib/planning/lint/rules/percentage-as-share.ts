import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { policyOf } from '../limits.js';

const PERCENTAGES = ['errorThresholdPercentage', 'halfOpenErrorThresholdPercentage'];

/** A threshold of half a percent, where half of the calls was meant: one failure in two hundred opens the breaker. */
export const PERCENTAGE_AS_SHARE: LintRule<'percentage-as-share'> = {
  code: 'percentage-as-share',
  look: ({ policies }: LintSubject): Finding | undefined => {
    const options = policyOf(policies, 'circuitBreaker')?.options ?? {};
    const option = PERCENTAGES.find((one) => Number(options[one]) > 0 && Number(options[one]) <= 1);
    if (option === undefined) return undefined;
    const value = Number(options[option]);
    return {
      policy: 'circuitBreaker',
      problem: `${option} is a percentage, and ${value} % is next to nothing`,
      expected: `a number from 0 to 100, as ${value * 100} for a share of ${value}`,
      value: `${option} ${value}`,
    };
  },
};
