import type { PlannedPolicy } from '../../../pipeline/plan-init.js';
import { repeatedBy, type HandlerFacts } from '../handler-facts.js';
import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { policyOf } from '../limits.js';
import { attemptsOf } from '../retries.js';

/** Two interceptors that each make calls again: their attempts multiply. */
export const RETRIES_MULTIPLY: LintRule<'retries-multiply'> = {
  code: 'retries-multiply',
  look: ({ policies, around, handler, idempotent }: LintSubject): Finding | undefined => {
    const count = (of: readonly PlannedPolicy[]): number => (repeats(of, handler, idempotent) ? attemptsOf(of) : 1);
    const [inner, outer] = [count(policies), around.map(count).reduce((all, one) => all * one, 1)];
    if (inner < 2 || outer < 2) return undefined;
    return {
      policy: 'retry',
      problem: `another retry stands before it, so that one request becomes ${inner * outer} attempts`,
      expected: "one of them, since an interceptor does not replace another; the handler's own @Retry would",
      value: `${outer} times ${inner} attempts`,
    };
  },
};

function repeats(policies: readonly PlannedPolicy[], handler: HandlerFacts | undefined, idempotent: boolean): boolean {
  const methods = policyOf(policies, 'retry')?.options.methods;
  return handler !== undefined && (idempotent || repeatedBy((methods ?? []) as string[], handler));
}
