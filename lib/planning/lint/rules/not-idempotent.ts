import { RETRY_DEFAULTS } from '../../../policies/retry/retry.options.js';
import { mayChangeTwice, repeatedBy } from '../handler-facts.js';
import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { policyOf } from '../limits.js';
import { attemptsOf } from '../retries.js';

/** A handler that changes something each time is called again, and nobody has said that it may be. */
export const NOT_IDEMPOTENT: LintRule<'not-idempotent'> = {
  code: 'not-idempotent',
  silence: '@Idempotent() on it says that it may be',
  look: ({ policies, handler, idempotent, byInterceptor }: LintSubject): Finding | undefined => {
    if (handler === undefined || idempotent || !mayChangeTwice(handler)) return undefined;
    const retry = policyOf(policies, 'retry');
    const hedge = policyOf(policies, 'hedge');
    if (byInterceptor) {
      const methods = retry?.options.methods ?? RETRY_DEFAULTS.methods;
      // An interceptor knows the method of a request.
      const verbs = handler.calledBy === 'ALL' ? ['POST', 'PATCH'] : [handler.calledBy];
      if (!verbs.some((calledBy) => repeatedBy(methods as readonly string[], { ...handler, calledBy })))
        return undefined;
    }
    const attempts = attemptsOf(policies);
    const calls = `a handler of ${WHAT[handler.calledBy] ?? handler.calledBy}`;
    if (attempts > 1) return finding('retry', `${calls} with up to ${attempts} attempts`);
    return hedge === undefined ? undefined : finding('hedge', `${calls} with attempts beside each other`);
  },
};

const WHAT: Readonly<Record<string, string>> = {
  POST: 'POST requests',
  PATCH: 'PATCH requests',
  ALL: 'requests of all methods, POST included',
  EVENT: 'events (@EventPattern)',
  MUTATION: 'mutations',
};

function finding(policy: 'retry' | 'hedge', value: string): Finding {
  return {
    policy,
    problem: 'what it does may be done twice, since an attempt that failed may have done it',
    expected: `@Idempotent() beside it, or no ${policy}`,
    value,
  };
}
