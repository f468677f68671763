import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { limitsOf, showLimit } from '../limits.js';

/** Nothing that needs a time limit is over sooner, ms. */
const TOO_SHORT_MS = 10;

/** A limit of a few milliseconds, where seconds were meant: every call is cut. */
export const TIMEOUT_IN_SECONDS: LintRule<'timeout-in-seconds'> = {
  code: 'timeout-in-seconds',
  look: ({ policies, streams }: LintSubject): Finding | undefined => {
    const { perAttempt, total } = limitsOf(policies);
    const limit = [perAttempt, total].find((one) => one !== undefined && one.ms < TOO_SHORT_MS);
    if (limit === undefined || streams) return undefined;
    return {
      policy: 'timeout',
      problem: 'times are in milliseconds, and hardly any call is over so soon',
      expected: `${limit.option} of at least ${TOO_SHORT_MS} ms, as ${limit.ms * 1_000} for ${limit.ms} s`,
      value: showLimit(limit),
    };
  },
};
