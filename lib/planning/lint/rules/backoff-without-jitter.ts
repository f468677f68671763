import { isPlainObject } from '../../../kernel/options/check.js';
import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { policyOf } from '../limits.js';
import { attemptsOf, pausesOf } from '../retries.js';

/** Clients that failed together return together. */
export const BACKOFF_WITHOUT_JITTER: LintRule<'backoff-without-jitter'> = {
  code: 'backoff-without-jitter',
  look: ({ policies }: LintSubject): Finding | undefined => {
    const backoff = policyOf(policies, 'retry')?.options.backoff;
    if (attemptsOf(policies) < 2 || !isPlainObject(backoff) || pausesOf(backoff)?.inStep !== true) return undefined;
    return {
      policy: 'retry',
      problem: 'all that failed together come back together, since their pauses are the same',
      expected: "pauses left to chance: exponential(), with 'full' or 'equal' jitter, or decorrelatedJitter()",
      value: showBackoff(backoff),
    };
  },
};

function showBackoff({ kind, ...options }: Record<string, unknown>): string {
  const all = Object.entries(options).map(([option, value]) => `${option} ${String(value)}`);
  return `${String(kind)}(${all.join(', ')})`;
}
