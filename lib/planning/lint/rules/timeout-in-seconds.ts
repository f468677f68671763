import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { limitsOf, policyOf, showLimit, type Limit } from '../limits.js';
import type { SetKey } from '../../../policies/kinds.js';

/** Nothing that needs a time limit is over sooner, ms. */
const TOO_SHORT_MS = 10;

/** Other times that are hardly ever so short, with the least that may be meant, ms. */
const OTHERS: readonly (readonly [policy: SetKey, option: string, least: number])[] = [
  ['circuitBreaker', 'resetTimeout', TOO_SHORT_MS],
  ['circuitBreaker', 'halfOpenMaxWait', TOO_SHORT_MS],
  ['circuitBreaker', 'rollingCountTimeout', 100],
  ['retry', 'maxDuration', TOO_SHORT_MS],
  ['retry', 'maxRetryAfter', TOO_SHORT_MS],
];

/** A time of a few milliseconds, where seconds were meant: every call is cut, or an open breaker refuses nothing. */
export const TIMEOUT_IN_SECONDS: LintRule<'timeout-in-seconds'> = {
  code: 'timeout-in-seconds',
  look: (subject: LintSubject): Finding | undefined => {
    const { perAttempt, total } = limitsOf(subject.policies);
    const limit = [perAttempt, total].find((one) => one !== undefined && one.ms < TOO_SHORT_MS);
    if (limit !== undefined && !subject.streams)
      return finding('timeout', limit, TOO_SHORT_MS, 'hardly any call is over so soon');
    for (const [policy, option, least] of OTHERS) {
      const planned = policyOf(subject.policies, policy);
      const ms = planned?.options[option];
      if (planned === undefined || typeof ms !== 'number' || ms <= 0 || ms >= least) continue;
      return finding(policy, { ms, option, source: planned.sources[option] ?? '' }, least, 'this is next to none');
    }
    return undefined;
  },
};

function finding(policy: SetKey, limit: Limit, least: number, why: string): Finding {
  return {
    policy,
    problem: `times are in milliseconds, and ${why}`,
    expected: `${limit.option} of at least ${least} ms, as ${limit.ms * 1_000} for ${limit.ms} s`,
    value: showLimit(limit),
  };
}
