import { isPlainObject } from '../../../kernel/options/check.js';
import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { limitsOf, outerLimitOf, policyOf } from '../limits.js';

/** A queue of this many, and this many for each slot, is meant to be without end. */
const LONG = 1_000;
const LONG_PER_SLOT = 100;

/** A queue without a bound turns overload into memory and into answers that nobody waits for. */
export const UNBOUNDED_QUEUE: LintRule<'unbounded-queue'> = {
  code: 'unbounded-queue',
  look: ({ policies, around }: LintSubject): Finding | undefined => {
    const { perAttempt, total } = limitsOf(policies);
    if (perAttempt !== undefined || total !== undefined || outerLimitOf(around) !== undefined) return undefined;
    const limit = policyOf(policies, 'rateLimit')?.options;
    if (limit?.onLimit === 'queue' && limit.maxWait === undefined) {
      return {
        policy: 'rateLimit',
        problem: 'nothing bounds the queue of those that wait for their turn, neither its length nor the wait',
        expected: 'maxWait, or a @Timeout',
        value: "onLimit 'queue' with neither",
      };
    }
    return longQueue(policyOf(policies, 'bulkhead')?.options);
  },
};

function longQueue(options: Readonly<Record<string, unknown>> | undefined): Finding | undefined {
  if (options === undefined) return undefined;
  const { maxQueue, maxWait = Infinity, maxConcurrent } = options;
  const slots = isPlainObject(maxConcurrent) ? maxConcurrent.max : maxConcurrent;
  if (typeof maxQueue !== 'number' || typeof slots !== 'number' || maxWait !== Infinity) return undefined;
  if (maxQueue < LONG || maxQueue <= slots * LONG_PER_SLOT) return undefined;
  return {
    policy: 'bulkhead',
    problem: `nothing bounds how long those in the queue wait, and ${maxQueue} may wait for ${slots} slots`,
    expected: 'maxWait, a @Timeout, or a shorter queue',
    value: `maxQueue ${maxQueue} with maxConcurrent ${slots}`,
  };
}
