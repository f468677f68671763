import { describe, expect, it } from 'vitest';
import type { Judge } from '../../../../lib/kernel/making.js';
import { RetryBudget } from '../../../../lib/kernel/retry-budget/retry-budget.js';
import { RETRY_BUDGET_DEFAULTS } from '../../../../lib/kernel/retry-budget/retry-budget.options.js';
import { HEDGE } from '../../../../lib/policies/hedge/hedge.kind.js';
import type { Hedging } from '../../../../lib/policies/hedge/hedging.js';
import { guarded, ManualWork, newCall } from '../../../support/calls.js';
import { makingAlone } from '../../../support/making.js';
import { track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const PLACE = 'Client.load, @Hedge';

/** A hedge after 100 ms as a plan makes it. */
function make(judge?: Judge, isFirst = true) {
  const environment = new TestEnvironment();
  const { clock } = environment;
  const budget = new RetryBudget({ ...RETRY_BUDGET_DEFAULTS, perSecond: 0 }, clock.now());
  const target = { instanceName: 'Client.load', kind: undefined, parameterCount: 0, http: false };
  const making = makingAlone(environment, { target, judge, budget: () => ({ budget, isFirst }) });
  const options = HEDGE.resolve?.(PLACE, { ...HEDGE.defaults, after: 100 }) ?? {};
  const step = { place: 'hedge' as const, name: 'Client.load', options, sources: {}, ruling: undefined };
  const hedging = (HEDGE.make(step, making) as { junction: Hedging }).junction;
  const work = new ManualWork();
  const start = (args: unknown[] = []) => track(guarded({ hedge: hedging }, work.run)(newCall(environment, { args })));
  return { environment, clock, budget, hedging, work, start };
}

describe('the kind of a hedge', () => {
  it('copies the options that it is given', () => {
    const options = { after: 50 };
    const parsed = HEDGE.parse(PLACE, options);

    expect(parsed).toEqual({ after: 50 });
    expect(parsed).not.toBe(options);
    expect(() => HEDGE.parse(PLACE, { after: 0 })).toThrow(`${PLACE}: option 'after': expected`);
  });

  it('makes two attempts within a budget, where nothing else is said', () => {
    expect(HEDGE.resolve?.(PLACE, { ...HEDGE.defaults, after: 50 })).toEqual({
      after: 50,
      maxAttempts: 2,
      budget: { ratio: 0.2, perSecond: 0.1, min: 10 },
    });
  });

  it('says nothing without a delay: it is skipped where none can come from, and else a mistake', () => {
    expect(HEDGE.isEmpty?.({ maxAttempts: 3 })).toBe(true);
    expect(HEDGE.isEmpty?.({ after: 50 })).toBe(false);
    expect(() => HEDGE.resolve?.(PLACE, { maxAttempts: 3 })).toThrow(`${PLACE}: a hedge has no built-in delay`);
  });

  it('guards the answers of handlers, but no other stream', () => {
    expect(HEDGE).toMatchObject({ refusesStreams: 'a hedge', takesAnswers: true });
  });

  it('may be said whole by a rule, since nothing of it is code', () => {
    expect(HEDGE.codeOnly).toEqual([]);
    expect(HEDGE.shortRule).toBeUndefined();
  });

  it('draws from a budget of further attempts', async () => {
    const { clock, budget, work, start } = make();
    start();
    await clock.advance(100);

    expect(work.begun).toBe(2);
    expect(budget.tokensAt(clock.now())).toBe(9);
    expect(HEDGE.budget).toBe('takes');
  });

  it('earns for the budget only where no retry around it does', () => {
    const [first, second] = [make(undefined, true), make(undefined, false)];

    expect(first.hedging.budget).toBe(first.budget);
    expect(second.hedging.budget).toBeUndefined();
  });

  it('asks the breaker of its plan about the call, and does not hedge while that is not closed', async () => {
    const { clock, work, start } = make({ isClosedFor: ({ args }) => args[0] !== 'down' });
    start(['down']);
    await clock.advance(1_000);
    expect(work.begun).toBe(1);
    start(['up']);
    await clock.advance(100);

    expect(work.begun).toBe(3);
  });
});
