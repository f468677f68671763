import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { policyOf } from '../limits.js';
import { attemptsOf } from '../retries.js';
import { failuresThatOpen } from '../trip-names.js';

/** A breaker that the attempts of one failing call open: those that are left meet it open. */
export const RETRIES_OPEN_BREAKER: LintRule<'retries-open-breaker'> = {
  code: 'retries-open-breaker',
  look: ({ policies }: LintSubject): Finding | undefined => {
    const breaker = policyOf(policies, 'circuitBreaker');
    const attempts = attemptsOf(policies);
    if (breaker === undefined) return undefined;
    const failures = failuresThatOpen(breaker.options);
    if (failures === undefined || failures.count >= attempts) return undefined;
    return {
      policy: 'circuitBreaker',
      problem: `one call that fails opens it by itself, and its last ${attempts - failures.count} of ${attempts} attempts are refused`,
      expected: `${failures.option} of at least maxAttempts (${attempts}), better a multiple of it`,
      value: `${failures.option} ${failures.count}`,
    };
  },
};
