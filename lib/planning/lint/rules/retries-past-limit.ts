import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { isMeant, limitsOf, outerLimitOf, policyOf, showLimit, type Limit } from '../limits.js';
import { attemptsOf, pausesOf } from '../retries.js';

/** Attempts that the time for all of them leaves no room for, when each takes what it may. */
export const RETRIES_PAST_LIMIT: LintRule<'retries-past-limit'> = {
  code: 'retries-past-limit',
  look: ({ policies, streams, around, caller }: LintSubject): Finding | undefined => {
    const attempts = attemptsOf(policies);
    const { perAttempt, total } = limitsOf(policies);
    if (streams || attempts < 2 || perAttempt === undefined) return undefined;
    const backoff = policyOf(policies, 'retry')?.options.backoff;
    for (const limit of [total, outerLimitOf(around), caller]) {
      if (limit === undefined || !isMeant(perAttempt, limit)) continue;
      const fits = attemptsWithin(limit.ms, attempts, perAttempt.ms, backoff);
      if (fits < attempts) return finding(attempts, fits, perAttempt, limit);
    }
    return undefined;
  },
};

/** How many attempts begin before a limit, when each takes `ms` and the pauses are as short as they can be. */
function attemptsWithin(limitMs: number, attempts: number, ms: number, backoff: unknown): number {
  const pauses = pausesOf(backoff);
  let begun = 1;
  for (let at = 0; begun < attempts; begun++) {
    at += ms + (pauses?.least(begun) ?? 0);
    if (at >= limitMs) break;
  }
  return begun;
}

function finding(attempts: number, fits: number, perAttempt: Limit, limit: Limit): Finding {
  return {
    policy: 'retry',
    problem: `when each attempt takes the time it may, only ${fits} of ${attempts} can begin`,
    expected: `${attempts} attempts and their pauses within ${showLimit(limit)}`,
    value: `maxAttempts ${attempts} with ${showLimit(perAttempt)}`,
  };
}
