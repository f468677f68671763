import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { limitsOf, policyOf, showLimit } from '../limits.js';
import { slowerThanOf } from '../trip-names.js';

/** A breaker that opens for slow calls alone, all of which are cut before they are slow. */
export const SLOW_CALLS_NEVER: LintRule<'slow-calls-never'> = {
  code: 'slow-calls-never',
  look: ({ policies }: LintSubject): Finding | undefined => {
    const breaker = policyOf(policies, 'circuitBreaker');
    const slowerThan = breaker === undefined ? undefined : slowerThanOf(breaker.options);
    const { perAttempt } = limitsOf(policies);
    if (slowerThan === undefined || perAttempt === undefined || slowerThan <= perAttempt.ms) return undefined;
    return {
      policy: 'circuitBreaker',
      problem: 'no call is ever slow, since each is cut before, so that it never opens',
      expected: `slowCallRate() with slowerThan below ${showLimit(perAttempt)}, or anyOf() with failureRate() beside it`,
      value: `slowerThan ${slowerThan} ms`,
    };
  },
};
