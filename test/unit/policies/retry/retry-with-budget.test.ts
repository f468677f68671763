import { describe, expect, it } from 'vitest';
import { fixed } from '../../../../lib/kernel/backoff/fixed.js';
import { RETRY_DEFAULTS, type RetryOptions } from '../../../../lib/policies/retry/retry.options.js';
import { RetryPolicy } from '../../../../lib/policies/retry/retry.policy.js';
import { RetryBudget } from '../../../../lib/kernel/retry-budget/retry-budget.js';
import { RETRY_BUDGET_DEFAULTS } from '../../../../lib/kernel/retry-budget/retry-budget.options.js';
import type { PipelineCall } from '../../../../lib/pipeline/call.js';
import type { Next } from '../../../../lib/kernel/call.js';
import { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { method, newCall, scripted } from '../../../support/calls.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { errorOf, settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const boom = new Error('boom');

function setUp(options: RetryOptions = {}, bounded = true) {
  const environment = new TestEnvironment();
  const { clock } = environment;
  const budget = new RetryBudget(RETRY_BUDGET_DEFAULTS, clock.now());
  const resolved = { ...RETRY_DEFAULTS, backoff: fixed(0), ...options };
  const policy = new RetryPolicy('Client.load', resolved, environment, bounded ? budget : undefined);
  const call = (next: Next) => policy.execute(newCall(environment), next);
  return { environment, clock, budget, policy, call };
}

/** How many calls reach the upstream for each call made, at five calls a second for ten minutes. */
async function loadAt(failing: number, bounded: boolean, after = 0): Promise<number> {
  const { clock, call } = setUp({ backoff: fixed(50) }, bounded);
  const random = seededRandom(7);
  let made = 0;
  let reached = 0;
  const upstream = method(() => {
    if (made > after) reached++;
    if (random() < failing) throw boom;
    return 'value';
  });
  while (made < 3_000) {
    made++;
    call(upstream).catch(() => undefined);
    await clock.advance(200);
  }
  return reached / (made - after);
}

describe('RetryPolicy with a budget', () => {
  it('puts at most 1.3 times the load on an upstream, when 30 % of its answers are failures', async () => {
    expect(await loadAt(0.3, true)).toBeLessThanOrEqual(1.3);
    expect(await loadAt(0.3, false)).toBeGreaterThan(1.35);
  });

  it('puts little more than 1.2 times the load on an upstream that is down', async () => {
    // 0.2 for each call and 0.1 for each second of five.
    expect(await loadAt(1, true, 100)).toBeLessThanOrEqual(1.221);
    expect(await loadAt(1, false)).toBe(3);
  });

  it('gives the last error at once and says so, when the budget is spent', async () => {
    const { environment, budget, call } = setUp({ backoff: fixed(1_000) });
    while (budget.take(environment.clock.now()));
    const { next, calls } = scripted([boom]);

    const error = await errorOf(call(next));

    expect(error).toBe(boom);
    expect(calls).toHaveLength(1);
    expect(environment.told).toMatchObject([
      { type: 'retrySuppressed', policy: 'retry', attempt: 1, reason: 'budget', error: boom },
    ]);
  });

  it('gives the last result, when the budget is spent', async () => {
    const { environment, budget, call } = setUp({ retryOnResult: () => true });
    while (budget.take(environment.clock.now()));

    await expect(call(scripted(['poor']).next)).resolves.toBe('poor');
  });

  it('takes a token for each retry, and none for the first attempt', async () => {
    const { clock, budget, call } = setUp();

    await errorOf(call(scripted([boom]).next));

    expect(budget.tokensAt(clock.now())).toBe(8);
  });

  it('takes none for a retry that another rule forbids', async () => {
    const { clock, budget, call } = setUp({ backoff: fixed(100), maxDuration: 50 });

    await errorOf(call(scripted([boom]).next));

    expect(budget.tokensAt(clock.now())).toBe(10);
  });

  it('earns by first attempts that began, whatever became of them, and by no other', async () => {
    const { clock, budget, call } = setUp({ maxAttempts: 2 });
    for (let taken = 0; taken < 5; taken++) budget.take(clock.now());

    await call(scripted(['value']).next);
    expect(budget.tokensAt(clock.now())).toBeCloseTo(5.2);
    await errorOf(call(scripted([boom]).next));
    expect(budget.tokensAt(clock.now())).toBeCloseTo(4.4);
  });

  it('earns nothing by a call that was refused before its method began', async () => {
    const { clock, budget, call } = setUp();
    budget.take(clock.now());
    const refusal = new CircuitOpenException({ policy: 'circuitBreaker', instanceName: 'b', message: 'open' });

    await errorOf(call(() => Promise.reject(refusal)));

    expect(budget.tokensAt(clock.now())).toBe(9);
  });

  it('earns by a call that had to wait, once it is over', async () => {
    const { clock, budget, call } = setUp();
    budget.take(clock.now());
    let begin = (): void => undefined;
    const turn = new Promise<void>((resolve) => (begin = resolve));
    const inner = method(() => 'value');

    const result = track(call((attempt) => turn.then(() => inner(attempt))));
    expect(budget.tokensAt(clock.now())).toBe(9);
    begin();
    await settle();

    expect(result.outcome).toBe('value');
    expect(budget.tokensAt(clock.now())).toBeCloseTo(9.2);
  });

  it.each([
    ['its caller leaves', (call: PipelineCall) => call.abort('gone')],
    ['the app shuts down', (_: PipelineCall, environment: TestEnvironment) => environment.lifecycle.close()],
  ])('gives back the token of a retry that is never made, since %s', async (_, end) => {
    const { environment, clock, budget, policy } = setUp({ backoff: fixed(1_000) });
    const call = newCall(environment);
    const { next, calls } = scripted([boom]);
    const result = track(policy.execute(call, next));
    await settle();
    expect(budget.tokensAt(clock.now())).toBe(9);

    end(call, environment);
    await settle();

    expect([result.status, calls.length]).toEqual(['rejected', 1]);
    expect(budget.tokensAt(clock.now())).toBe(10);
  });

  it('gives back the token of a retry that was refused before its method began', async () => {
    const { clock, budget, call } = setUp({ maxAttempts: 3, retryOn: () => true });
    const failing = method(() => Promise.reject(boom));
    const refusal = new CircuitOpenException({ policy: 'circuitBreaker', instanceName: 'b', message: 'open' });

    await errorOf(call((attempt) => (attempt.attempt === 2 ? Promise.reject(refusal) : failing(attempt))));

    // The third attempt began.
    expect(budget.tokensAt(clock.now())).toBe(9);
  });
});
