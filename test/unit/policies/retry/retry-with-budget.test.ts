import { describe, expect, it } from 'vitest';
import { fixed } from '../../../../lib/kernel/backoff/fixed.js';
import { RETRY_DEFAULTS, type RetryOptions } from '../../../../lib/policies/retry/retry.options.js';
import { RetryDecision } from '../../../../lib/policies/retry/retry.decision.js';
import { RetryBudget } from '../../../../lib/kernel/retry-budget/retry-budget.js';
import { RETRY_BUDGET_DEFAULTS } from '../../../../lib/kernel/retry-budget/retry-budget.options.js';
import { callOf, type Call } from '../../../../lib/kernel/call.js';
import type { Guard } from '../../../../lib/kernel/guard.js';
import type { Work } from '../../../../lib/kernel/junction.js';
import { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { execute, guarded, method, newCall, scripted } from '../../../support/calls.js';
import { Bouncer, Gate } from '../../../support/guards.js';
import { seededRandom } from '../../../support/seeded-random.js';
import { errorOf, settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const boom = new Error('boom');

function setUp(options: RetryOptions = {}, bounded = true) {
  const environment = new TestEnvironment();
  const { clock } = environment;
  const budget = new RetryBudget(RETRY_BUDGET_DEFAULTS, clock.now());
  const resolved = { ...RETRY_DEFAULTS, backoff: fixed(0), ...options };
  const retry = new RetryDecision('Client.load', resolved, environment, bounded ? budget : undefined);
  const call = (work: Work, inside?: Guard) => guarded({ retry, bulkhead: inside }, work)(newCall(environment));
  return { environment, clock, budget, retry, call };
}

/** How many calls reach the upstream for each call made behind the first `after`, at five calls a second for two minutes. */
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
  while (made < 600) {
    made++;
    call(upstream).catch(() => undefined);
    await clock.advance(200);
  }
  return reached / (made - after);
}

describe('RetryDecision with a budget', () => {
  it('puts at most 1.3 times the load on an upstream, when 30 % of its answers are failures', async () => {
    expect(await loadAt(0.3, true)).toBeLessThanOrEqual(1.3);
    expect(await loadAt(0.3, false)).toBeGreaterThan(1.33);
  });

  it('puts little more than 1.2 times the load on an upstream that is down', async () => {
    // 0.2 for each call and 0.1 for each second of five.
    expect(await loadAt(1, true, 100)).toBeLessThanOrEqual(1.221);
    expect(await loadAt(1, false)).toBe(3);
  });

  it('gives the last error at once and says so, when the budget is spent', async () => {
    const { environment, budget, call } = setUp({ backoff: fixed(1_000) });
    while (budget.take(environment.clock.now()));
    const { run, calls } = scripted([boom]);

    const error = await errorOf(call(run));

    expect(error).toBe(boom);
    expect(calls).toHaveLength(1);
    expect(environment.told).toMatchObject([
      { type: 'retrySuppressed', policy: 'retry', attempt: 1, reason: 'budget', error: boom },
    ]);
  });

  it('gives the last result, when the budget is spent', async () => {
    const { environment, budget, call } = setUp({ retryOnResult: () => true });
    while (budget.take(environment.clock.now()));

    await expect(call(scripted(['poor']).run)).resolves.toBe('poor');
  });

  it('takes a token for each retry, and none for the first attempt', async () => {
    const { clock, budget, call } = setUp();

    await errorOf(call(scripted([boom]).run));

    expect(budget.tokensAt(clock.now())).toBe(8);
  });

  it('takes none for a retry that another rule forbids', async () => {
    const { clock, budget, call } = setUp({ backoff: fixed(100), maxDuration: 50 });

    await errorOf(call(scripted([boom]).run));

    expect(budget.tokensAt(clock.now())).toBe(10);
  });

  it('earns by first attempts that began, whatever became of them, and by no other', async () => {
    const { clock, budget, call } = setUp({ maxAttempts: 2 });
    for (let taken = 0; taken < 5; taken++) budget.take(clock.now());

    await call(scripted(['value']).run);
    expect(budget.tokensAt(clock.now())).toBeCloseTo(5.2);
    await errorOf(call(scripted([boom]).run));
    expect(budget.tokensAt(clock.now())).toBeCloseTo(4.4);
  });

  it('earns nothing by a call that was refused before its method began', async () => {
    const { clock, budget, call } = setUp();
    budget.take(clock.now());
    const refusal = new CircuitOpenException({ policy: 'circuitBreaker', instanceName: 'b', message: 'open' });

    await errorOf(
      call(
        method(() => 'value'),
        new Bouncer(() => refusal),
      ),
    );

    expect(budget.tokensAt(clock.now())).toBe(9);
  });

  it('earns by a call that had to wait, once it is over', async () => {
    const { clock, budget, call } = setUp();
    budget.take(clock.now());
    const gate = new Gate();

    const result = track(
      call(
        method(() => 'value'),
        gate,
      ),
    );
    expect(budget.tokensAt(clock.now())).toBe(9);
    gate.open();
    await settle();

    expect(result.outcome).toBe('value');
    expect(budget.tokensAt(clock.now())).toBeCloseTo(9.2);
  });

  it.each([
    ['its caller leaves', (call: Call) => call.abort('gone')],
    ['the app shuts down', (_: Call, environment: TestEnvironment) => environment.lifecycle.close()],
  ])('gives back the token of a retry that is never made, since %s', async (_, end) => {
    const { environment, clock, budget, retry } = setUp({ backoff: fixed(1_000) });
    const first = newCall(environment);
    const { run, calls } = scripted([boom]);
    const result = track(execute(retry, first, run));
    await settle();
    expect(budget.tokensAt(clock.now())).toBe(9);

    end(callOf(first), environment);
    await settle();

    expect([result.status, calls.length]).toEqual(['rejected', 1]);
    expect(budget.tokensAt(clock.now())).toBe(10);
  });

  it('gives back the token of a retry that was refused before its method began', async () => {
    const { clock, budget, call } = setUp({ maxAttempts: 3, retryOn: () => true });
    const failing = method(() => Promise.reject(boom));
    const refusal = new CircuitOpenException({ policy: 'circuitBreaker', instanceName: 'b', message: 'open' });

    await errorOf(call(failing, new Bouncer(({ attempt }) => (attempt === 2 ? refusal : undefined))));

    // The third attempt began.
    expect(budget.tokensAt(clock.now())).toBe(9);
  });
});
