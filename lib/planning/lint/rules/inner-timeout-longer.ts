import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { isMeant, limitsOf, outerLimitOf, showLimit, type Limit } from '../limits.js';

/** A limit inside a shorter one never ends anything. */
export const INNER_TIMEOUT_LONGER: LintRule<'inner-timeout-longer'> = {
  code: 'inner-timeout-longer',
  look: ({ policies, streams, around }: LintSubject): Finding | undefined => {
    // Of a stream, one is the time between two items, and the other that of the first.
    if (streams) return undefined;
    const { perAttempt, total } = limitsOf(policies);
    const outer = outerLimitOf(around);
    const pairs = [
      [perAttempt, total],
      [perAttempt, outer],
      [total, outer],
    ] as const;
    for (const [inner, around] of pairs) if (contradict(inner, around)) return finding(inner as Limit, around as Limit);
    return undefined;
  },
};

function contradict(inner: Limit | undefined, outer: Limit | undefined): boolean {
  return inner !== undefined && outer !== undefined && inner.ms > outer.ms && isMeant(inner, outer);
}

function finding(inner: Limit, outer: Limit): Finding {
  return {
    policy: 'timeout',
    problem: `${inner.option} never ends anything, since the shorter ${outer.option} around it always does`,
    expected: `${inner.option} below ${showLimit(outer)}`,
    value: showLimit(inner),
  };
}
