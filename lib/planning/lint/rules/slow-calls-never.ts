import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { limitsOf, policyOf, showLimit } from '../limits.js';
import { slowerThanOf } from '../trip-names.js';

/** A breaker that opens for slow calls alone, all of which are cut before they are slow: it never opens, or by chance. */
export const SLOW_CALLS_NEVER: LintRule<'slow-calls-never'> = {
  code: 'slow-calls-never',
  look: ({ policies }: LintSubject): Finding | undefined => {
    const breaker = policyOf(policies, 'circuitBreaker');
    const slowerThan = breaker === undefined ? undefined : slowerThanOf(breaker.options);
    const { perAttempt } = limitsOf(policies);
    if (slowerThan === undefined || perAttempt === undefined || slowerThan < perAttempt.ms) return undefined;
    const never = slowerThan > perAttempt.ms;
    return {
      policy: 'circuitBreaker',
      problem: never
        ? 'no call is ever slow, since each is cut before, so that it never opens'
        : 'a call is slow by no more than the timer that cuts it is late, so that chance decides whether it opens',
      expected: `slowCallRate() with slowerThan below ${showLimit(perAttempt)}, or anyOf() with failureRate() beside it`,
      value: `slowerThan ${slowerThan} ms`,
    };
  },
};
