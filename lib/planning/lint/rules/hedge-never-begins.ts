import { isPlainObject } from '../../../kernel/options/check.js';
import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { limitsOf, policyOf, shortestOf, showLimit } from '../limits.js';

/** A hedge that is due after its first attempt has been cut. */
export const HEDGE_NEVER_BEGINS: LintRule<'hedge-never-begins'> = {
  code: 'hedge-never-begins',
  look: ({ policies }: LintSubject): Finding | undefined => {
    const after = policyOf(policies, 'hedge')?.options.after;
    const [option, delay] = isPlainObject(after) ? ['after.min', after.min] : ['after', after];
    const { perAttempt, total } = limitsOf(policies);
    const limit = shortestOf([perAttempt, total]);
    if (typeof delay !== 'number' || limit === undefined || delay < limit.ms) return undefined;
    return {
      policy: 'hedge',
      problem: 'it never begins, since the attempt that it would stand by has been cut by then',
      expected: `${option} below ${showLimit(limit)}`,
      value: `${option} ${delay} ms`,
    };
  },
};
