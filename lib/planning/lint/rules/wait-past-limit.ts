import type { PlannedPolicy } from '../../../pipeline/plan-init.js';
import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { isMeant, limitsOf, policyOf, shortestOf, showLimit, type Limit } from '../limits.js';

/** A wait for a turn or a slot that is longer than what there is for the wait and the run together. */
export const WAIT_PAST_LIMIT: LintRule<'wait-past-limit'> = {
  code: 'wait-past-limit',
  look: ({ place, policies }: LintSubject): Finding | undefined => {
    const { perAttempt, total } = limitsOf(policies);
    const limit = shortestOf([perAttempt, total]);
    if (limit === undefined) return undefined;
    for (const key of ['rateLimit', 'bulkhead'] as const) {
      const found = policyOf(policies, key);
      if (found !== undefined && contradicts(found, limit, place)) return finding(found, limit);
    }
    return undefined;
  },
};

/** What is shared by a name has one wait for methods with different limits: that is no contradiction. */
function contradicts({ name, options: { maxWait }, sources }: PlannedPolicy, limit: Limit, place: string): boolean {
  if (typeof maxWait !== 'number' || maxWait === Infinity || maxWait <= limit.ms) return false;
  const said = { source: sources.maxWait ?? '' };
  return said.source === limit.source || (name === place && isMeant(limit, said) && isMeant(said, limit));
}

function finding({ policy, options }: PlannedPolicy, limit: Limit): Finding {
  return {
    policy,
    problem: 'nobody waits that long, since the limit for the wait and the run together is shorter',
    expected: `maxWait below ${showLimit(limit)}`,
    value: `maxWait ${String(options.maxWait)} ms`,
  };
}
