import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FasterAttemptError } from '../../../../lib/kernel/call-info.js';
import { HEDGE_DEFAULTS } from '../../../../lib/policies/hedge/hedge.options.js';
import { Hedging } from '../../../../lib/policies/hedge/hedging.js';
import { RetryBudget } from '../../../../lib/kernel/retry-budget/retry-budget.js';
import { execute, ManualWork, newCall } from '../../../support/calls.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';
import { runs } from '../../../support/runs.js';

const AFTER = 100;

/** What happens to one call, in this order: time passes, an attempt ends, the caller leaves. */
type Step = { do: 'pass'; ms: number } | { do: 'end'; which: number; fails: boolean } | { do: 'leave' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(10, 50, 100, 150) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(3), fails: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'leave' as const }) },
);

async function walk(maxAttempts: number, tokens: number, steps: readonly Step[]): Promise<void> {
  const environment = new TestEnvironment();
  const { clock } = environment;
  const budget = new RetryBudget({ ratio: 0, perSecond: 0, min: tokens }, clock.now());
  const options = { ...HEDGE_DEFAULTS, after: AFTER, maxAttempts };
  const hedging = new Hedging('model', options, environment, { budget });
  const work = new ManualWork();
  const call = newCall(environment);
  const result = track(execute(hedging, call, work.run, { endsEarly: true }));

  // The model: attempts by number, each running or ended, and the next one's moment.
  const state: ('running' | 'failed' | 'won' | 'cut')[] = ['running'];
  let spent = 0;
  let nextAt = clock.now() + AFTER;
  let over = false;
  let failed = false;
  let outcome: unknown;
  const end = (value: unknown): void => {
    over = true;
    outcome = value;
  };
  for (const [number, one] of steps.entries()) {
    if (one.do === 'pass') {
      await clock.advance(one.ms);
      while (!over && !failed && nextAt <= clock.now() && state.length < maxAttempts && spent < tokens) {
        state.push('running');
        spent++;
        nextAt += AFTER;
      }
    } else if (one.do === 'end') {
      if (state[one.which] !== 'running') continue;
      const value = one.fails ? new Error(`${number}`) : `${number}`;
      if (one.fails) work.fail(one.which, value);
      else work.succeed(one.which, value);
      state[one.which] = one.fails ? 'failed' : 'won';
      failed ||= one.fails;
      if (!one.fails || !state.includes('running')) end(value);
      if (!one.fails) for (const [index, was] of state.entries()) if (was === 'running') state[index] = 'cut';
    } else {
      if (over) continue;
      call.abort('left');
      for (const [index, was] of state.entries()) if (was === 'running') state[index] = 'cut';
      end('left');
    }
    await settle();
    expect(work.begun).toBe(state.length);
    expect(result.outcome).toBe(outcome);
    expect(work.calls.map(({ aborted }) => aborted)).toEqual(state.map((was) => was === 'cut'));
    for (const { aborted, reason } of work.calls)
      if (aborted && outcome !== 'left') expect(reason).toBeInstanceOf(FasterAttemptError);
    expect(budget.tokensAt(clock.now())).toBe(tokens - spent);
    if (over) expect(clock.keepingAlive).toBe(0);
  }
}

describe('Hedging, against a model', () => {
  it('begins, ends and cuts the same attempts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 4 }),
        fc.integer({ min: 0, max: 3 }),
        fc.array(step, { maxLength: 20 }),
        walk,
      ),
      { numRuns: runs(200, 2_000) },
    );
  });
});
