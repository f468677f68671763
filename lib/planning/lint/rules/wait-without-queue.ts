import type { Finding, LintRule, LintSubject } from '../lint-rule.js';
import { policyOf } from '../limits.js';

/**
 * A bulkhead that says how long calls wait, and has no queue: only calls inside of a call that holds a slot wait then, which
 * is hardly meant where nobody has said that there is no queue.
 */
export const WAIT_WITHOUT_QUEUE: LintRule<'wait-without-queue'> = {
  code: 'wait-without-queue',
  look: ({ policies }: LintSubject): Finding | undefined => {
    const { options, sources } = policyOf(policies, 'bulkhead') ?? {};
    if (options?.maxQueue !== 0 || sources?.maxQueue !== 'built-in') return undefined;
    if (typeof options.maxWait !== 'number' || options.maxWait === Infinity) return undefined;
    // What is said for all is for those that have a queue.
    if (sources.maxWait === 'policies.default') return undefined;
    return {
      policy: 'bulkhead',
      problem: 'nobody waits in it, since its maxQueue is 0',
      expected: 'a maxQueue beside maxWait',
      value: `maxWait ${options.maxWait} ms with maxQueue 0 (built-in)`,
    };
  },
};
