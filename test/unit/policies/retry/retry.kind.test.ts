import { describe, expect, it } from 'vitest';
import { RetryBudget } from '../../../../lib/kernel/retry-budget/retry-budget.js';
import { RETRY_BUDGET_DEFAULTS } from '../../../../lib/kernel/retry-budget/retry-budget.options.js';
import { RETRY } from '../../../../lib/policies/retry/retry.kind.js';
import type { RetryDecision } from '../../../../lib/policies/retry/retry.decision.js';
import { execute, newCall, scripted } from '../../../support/calls.js';
import { makingAlone } from '../../../support/making.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const PLACE = 'Client.load, @Retry';
const boom = new Error('boom');

/** A retry as a plan makes it of its setting. */
function make(setting: unknown) {
  const environment = new TestEnvironment();
  const budget = new RetryBudget({ ...RETRY_BUDGET_DEFAULTS, perSecond: 0 }, environment.clock.now());
  const making = makingAlone(environment, { budget: () => ({ budget, isFirst: true }) });
  const options = { ...RETRY.defaults, ...RETRY.parse(PLACE, setting) };
  const step = { place: 'retry' as const, name: 'loads', options, sources: {}, ruling: undefined };
  const { decision } = RETRY.make(step, making) as { decision: RetryDecision };
  return { environment, budget, decision };
}

describe('the kind of a retry', () => {
  it('copies the options that it is given', () => {
    const options = { maxAttempts: 5 };

    expect(RETRY.parse(PLACE, options)).toEqual(options);
    expect(RETRY.parse(PLACE, options)).not.toBe(options);
    expect(RETRY.parse(PLACE, 5)).toEqual(options);
    expect(() => RETRY.parse(PLACE, 0)).toThrow(`${PLACE}: maxAttempts: expected`);
  });

  it('makes a failed call again under its name, and draws from the budget of its plan', async () => {
    const { environment, budget, decision } = make({ backoff: () => 0 });
    const { run, calls } = scripted([boom, 'value']);

    expect(await execute(decision, newCall(environment), run)).toBe('value');
    expect(calls).toHaveLength(2);
    expect(environment.told).toMatchObject([{ type: 'retry', name: 'loads', policy: 'retry', maxAttempts: 3 }]);
    expect(decision.budget).toBe(budget);
    // 10 at the beginning, which is the most.
    expect(budget.tokensAt(environment.clock.now())).toBe(9);
  });

  it('is known to repeat calls', () => {
    expect(RETRY).toMatchObject({ repeats: true, budget: 'takes' });
  });

  it('may be said by a rule but for what is code; the backoff as data', () => {
    expect(RETRY.codeOnly).toEqual(['retryOn', 'abortOn', 'answerOn', 'retryOnResult']);
    expect(Object.keys(RETRY.dataForms ?? {})).toEqual(['backoff']);
    expect(Object.keys(RETRY.dataForms?.backoff?.forms ?? {})).toContain('exponential');
  });
});
