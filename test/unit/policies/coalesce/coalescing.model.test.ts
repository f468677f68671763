import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../../lib/kernel/attempt.js';
import { COALESCE_DEFAULTS } from '../../../../lib/policies/coalesce/coalesce.options.js';
import { Coalescing } from '../../../../lib/policies/coalesce/coalescing.js';
import { execute, limit, ManualWork, newCall } from '../../../support/calls.js';
import { settle, track, type Tracked } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';
import { runs } from '../../../support/runs.js';

interface Caller {
  readonly call: Attempt;
  readonly result: Tracked;
  /** Its limit, on the clock. */
  readonly due: number;
  /** What it must end with; undefined while it waits. */
  outcome: unknown;
}

/** A run, and its place among those that have begun. */
interface Run {
  readonly key: string;
  readonly index: number;
  waiting: Caller[];
  ended: boolean;
}

type Step =
  | { do: 'ask'; key: string; limit: number }
  | { do: 'leave'; which: number }
  | { do: 'end'; which: number; fails: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      key: fc.constantFrom('a', 'b', 'c'),
      limit: fc.constantFrom(10, 20, 30, Infinity),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(5), fails: fc.boolean() }),
  },
);

const one = <T>(list: readonly T[], which: number): T | undefined => list[which % Math.max(1, list.length)];

async function walk(steps: readonly Step[]): Promise<void> {
  const environment = new TestEnvironment();
  const key = (first: string) => first;
  const coalescing = new Coalescing('model', { ...COALESCE_DEFAULTS, key }, environment);
  const work = new ManualWork();
  const runs: Run[] = [];
  const callers: Caller[] = [];
  for (const [number, one_] of steps.entries()) {
    if (one_.do === 'ask') {
      const call = newCall(environment, { args: [one_.key] });
      const due = environment.clock.now() + one_.limit;
      limit(call, due);
      const caller: Caller = { call, due, result: track(execute(coalescing, call, work.run)), outcome: undefined };
      callers.push(caller);
      let run = runs.find((known) => known.key === one_.key && !known.ended && known.waiting.length > 0);
      if (run === undefined) runs.push((run = { key: one_.key, index: runs.length, waiting: [], ended: false }));
      run.waiting.push(caller);
    } else if (one_.do === 'leave') {
      const caller = one(
        callers.filter(({ outcome }) => outcome === undefined),
        one_.which,
      );
      if (caller === undefined) continue;
      caller.outcome = `left at ${number}`;
      caller.call.abort(caller.outcome);
      for (const run of runs) run.waiting = run.waiting.filter((other) => other !== caller);
    } else {
      const run = one(
        runs.filter(({ ended }) => !ended),
        one_.which,
      );
      if (run === undefined) continue;
      run.ended = true;
      const outcome = one_.fails ? new Error(`run ${run.index}`) : `run ${run.index}`;
      if (one_.fails) work.fail(run.index, outcome);
      else work.succeed(run.index, outcome);
      for (const caller of run.waiting) caller.outcome = outcome;
      run.waiting = [];
    }
    await settle();
    expect(callers.map(({ result }) => result.outcome)).toEqual(callers.map(({ outcome }) => outcome));
    expect(work.begun).toBe(runs.length);
    for (const { ended, waiting, index } of runs.filter((run) => !run.ended)) {
      const call = work.calls[index] as Attempt;
      expect([ended, call.aborted]).toEqual([false, waiting.length === 0]);
      if (waiting.length > 0) expect(call.deadline).toBe(Math.max(...waiting.map(({ due }) => due)));
    }
  }
}

describe('Coalescing, against a model', () => {
  it('runs, shares, bounds and cuts the same calls', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), walk), { numRuns: runs(150, 1_500) });
  });
});
