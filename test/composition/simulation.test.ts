import { describe, expect, it } from 'vitest';
import { simulate, type Policies, type Scenario } from '../../bench/simulation/simulate.mjs';
import { CAPACITY, CASES, compare, SCENARIO as THROTTLED } from '../../bench/simulation/throttle.mjs';
import { EventBus } from '../../lib/events/event-bus.js';
import { Attempt } from '../../lib/kernel/attempt.js';
import { Lifecycle } from '../../lib/kernel/policy.js';
import { RetryBudget } from '../../lib/kernel/retry-budget/retry-budget.js';
import { RETRY_BUDGET_DEFAULTS } from '../../lib/kernel/retry-budget/retry-budget.options.js';
import { layered } from '../../lib/pipeline/layers.js';
import { promiseWork } from '../../lib/pipeline/promise-work.js';
import { AdaptiveThrottleGuard } from '../../lib/policies/adaptive-throttle/adaptive-throttle.guard.js';
import { AdaptiveThrottle } from '../../lib/policies/adaptive-throttle/adaptive-throttle.js';
import { ADAPTIVE_THROTTLE_DEFAULTS } from '../../lib/policies/adaptive-throttle/adaptive-throttle.options.js';
import { CircuitBreakerGuard } from '../../lib/policies/circuit-breaker/circuit-breaker.guard.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { NamedBreakers } from '../../lib/policies/circuit-breaker/named-breakers.js';
import { RetryDecision } from '../../lib/policies/retry/retry.decision.js';
import { RETRY_DEFAULTS } from '../../lib/policies/retry/retry.options.js';
import { Ingress } from '../../lib/policies/system-protection/ingress.js';
import { parseSystemProtection } from '../../lib/policies/system-protection/system-protection.options.js';
import { attemptTimeout } from '../../lib/policies/timeout/attempt-timeout.guard.js';
import { TotalTimeoutDecision } from '../../lib/policies/timeout/total-timeout.decision.js';

/** What the benchmark takes from the built library. */
const library = {
  ADAPTIVE_THROTTLE_DEFAULTS,
  AdaptiveThrottle,
  AdaptiveThrottleGuard,
  Attempt,
  attemptTimeout,
  CIRCUIT_BREAKER_DEFAULTS,
  CircuitBreakerGuard,
  EventBus,
  Ingress,
  layered,
  Lifecycle,
  NamedBreakers,
  parseSystemProtection,
  promiseWork,
  RETRY_BUDGET_DEFAULTS,
  RETRY_DEFAULTS,
  RetryBudget,
  RetryDecision,
  TotalTimeoutDecision,
};

/** A fifth of the load that the benchmark simulates, from busier clients. */
const SCENARIO: Scenario = {
  seed: 1,
  seconds: 50,
  clients: 20,
  callsPerSecond: 100,
  timeout: { perAttempt: 500, total: 2_000 },
  service: { workers: 8, workMs: 50, backlog: 400, slowdown: 0.1 },
  trigger: { from: 8, to: 14, capacity: 0.25 },
};

const UNBOUNDED = { budget: false };

const run = (policies: Policies) => simulate(library, SCENARIO, policies);

describe('a fleet of clients and a service that was disturbed', () => {
  it('stays down by its retries alone, when the disturbance is long gone', async () => {
    const { summary } = await run({ retry: UNBOUNDED });

    expect(summary.before).toBeGreaterThan(90);
    expect(summary.last).toBeLessThan(5);
    expect(summary.amplificationLast).toBeGreaterThan(2.5);
    expect(summary.recoveredAfter).toBeUndefined();
  });

  it('comes back by itself, when nobody tries again', async () => {
    const { summary } = await run({});

    expect(summary.during).toBeLessThan(0.5 * summary.before);
    expect(summary.recoveredAfter).toBeLessThanOrEqual(10);
  });

  it('comes back, when budgets bound the retries of busy clients', async () => {
    const { summary } = await run({ retry: {} });

    expect(summary.recoveredAfter).toBeLessThanOrEqual(25);
    expect(summary.last).toBeGreaterThan(0.8 * summary.before);
  });

  it('works on in the disturbance, and is back at once, with budgets, breakers and shedding', async () => {
    const { summary } = await run({ retry: {}, circuitBreaker: { resetTimeout: 5_000 }, shedding: true });

    expect(summary.recoveredAfter).toBeLessThanOrEqual(5);
    expect(summary.last).toBeGreaterThan(0.8 * summary.before);
  });

  it('is the same at each run', async () => {
    const [one, other] = [await run({ retry: {} }), await run({ retry: {} })];

    expect(other).toEqual(one);
  });
});

/** Shorter troubles than those of the benchmark. */
const OVERLOAD = { from: 5, to: 80, load: 2.5 };
const OUTAGE = { from: 5, to: 50, capacity: 0 };
const SECONDS = 110;

const comparison = (key: string, trouble: Scenario['trigger']) =>
  compare(library, trouble, CASES.find((one) => one.key === key)?.policies ?? {}, { ...THROTTLED, seconds: SECONDS });

describe('clients of a service that gets half as much again as it can answer', () => {
  it('get nearly all of that with a throttle in every second, where breakers open and close', async () => {
    const [none, breaker, throttle] = await Promise.all(
      ['none', 'breaker', 'throttle'].map((key) => comparison(key, OVERLOAD)),
    );

    expect(throttle?.goodput).toBeGreaterThanOrEqual(0.95 * CAPACITY);
    expect(throttle?.worst).toBeGreaterThan(0.8 * CAPACITY);
    expect(throttle?.opened).toBe(0);
    expect(breaker?.opened).toBeGreaterThan(0.5);
    expect(breaker?.goodput).toBeLessThan(0.88 * CAPACITY);
    expect(none?.goodput).toBeLessThan(0.85 * CAPACITY);
  });
});

describe('clients of a service that is down', () => {
  it('bother it least, and are back first, with a breaker, a throttle inside or not', async () => {
    const [breaker, throttle, both] = await Promise.all(
      ['breaker', 'throttle', 'both'].map((key) => comparison(key, OUTAGE)),
    );

    expect(throttle?.attempts).toBeGreaterThan(4 * (breaker?.attempts ?? NaN));
    expect(throttle?.recoveredAfter ?? Infinity).toBeGreaterThan(20);
    for (const one of [breaker, both]) expect(one?.recoveredAfter).toBeLessThanOrEqual(6);
  });
});
