import type { PlannedPolicy } from '../../../pipeline/plan-init.js';
import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { policyOf } from '../limits.js';
import { methodsNamedBy } from '../named-methods.js';

/** While the breaker is open, what is to answer in its place is refused as well. */
export const FALLBACK_SAME_BREAKER: LintRule<'fallback-same-breaker'> = {
  code: 'fallback-same-breaker',
  look: (subject: LintSubject): Finding | undefined => {
    const { policies } = subject;
    const name = policyOf(policies, 'circuitBreaker')?.name;
    if (name === undefined) return undefined;
    for (const policy of policies) {
      const meets = methodsNamedBy(policy).find((method) =>
        subject.siblings(method).some((own) => policyOf(own, 'circuitBreaker')?.name === name),
      );
      if (meets !== undefined) return finding(policy, meets, name);
    }
    return undefined;
  },
};

function finding({ policy }: PlannedPolicy, method: string, name: string): Finding {
  return {
    policy,
    problem: `while the circuit breaker '${name}' is open, it refuses the method that is to answer instead, too`,
    expected: `a method without that breaker, such as one with @CircuitBreaker(false)`,
    value: `'${method}', which has the circuit breaker '${name}' of its own`,
  };
}
