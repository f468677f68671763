import { describe, expect, it } from 'vitest';
import type { BulkheadFullException } from '../../../lib/errors/bulkhead-full.exception.js';
import { AdaptiveLimit } from '../../../lib/kernel/adaptive-limit/adaptive-limit.js';
import { adaptive } from '../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { BULKHEAD_DEFAULTS } from '../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../lib/policies/bulkhead/bulkhead.guard.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { consecutiveFailures } from '../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { resolveRateLimit, type RateLimitOptions } from '../../../lib/policies/rate-limit/rate-limit.options.js';
import { RateLimitGuard } from '../../../lib/policies/rate-limit/rate-limit.guard.js';
import { RateLimiter } from '../../../lib/policies/rate-limit/rate-limiter.js';
import { RetryBudget } from '../../../lib/kernel/retry-budget/retry-budget.js';
import { BreakerScene } from '../../support/breaker-scene.js';
import { execute, ManualWork, newCall } from '../../support/calls.js';
import { settle, track } from '../../support/settle.js';
import { TestEnvironment } from '../../support/test-environment.js';

const breakerOptions = { ...CIRCUIT_BREAKER_DEFAULTS, volumeThreshold: 1, resetTimeout: 1_000, resetJitter: 0 };

describe('a breaker that takes on other options', () => {
  it('keeps the time for which it is open, and takes the next one from the new options', async () => {
    const scene = new BreakerScene(breakerOptions);
    await scene.fail();
    scene.named.reconfigure({ ...breakerOptions, resetTimeout: 5_000 });

    await scene.clock.advance(1_000);
    expect(scene.state).toBe('halfOpen');
    await scene.fail();
    await scene.clock.advance(4_999);
    expect(scene.state).toBe('open');
    await scene.clock.advance(1);
    expect(scene.state).toBe('halfOpen');
  });

  it('closes when as many probes have succeeded as it takes now', async () => {
    const scene = new BreakerScene({ ...breakerOptions, halfOpenCalls: 5 });
    await scene.fail();
    await scene.clock.advance(1_000);
    await scene.succeed(2);
    expect(scene.state).toBe('halfOpen');

    scene.named.reconfigure({ ...breakerOptions, halfOpenCalls: 2 });

    expect(scene.state).toBe('closed');
  });

  it('keeps what it has counted under another trip strategy', async () => {
    const scene = new BreakerScene({ ...breakerOptions, volumeThreshold: 100 });
    await scene.fail(2);
    scene.named.reconfigure({ ...breakerOptions, trip: consecutiveFailures(3) });

    expect(scene.state).toBe('closed');
    await scene.fail();
    expect(scene.state).toBe('open');
  });

  it('counts the end of a call that began before, also in a new window', async () => {
    const scene = new BreakerScene({ ...breakerOptions, volumeThreshold: 100 });
    const running = scene.begin();
    scene.named.reconfigure({ ...breakerOptions, volumeThreshold: 100, rollingCountTimeout: 500 });
    await running.fail();

    expect(scene.stats.failures).toBe(1);
  });
});

describe('an adaptive limit that takes on other bounds', () => {
  it('keeps what it has found as far as they let it, and tells', () => {
    const told: number[] = [];
    const limit = new AdaptiveLimit(adaptive({ initial: 20 }).options, 0, (now) => told.push(now));

    limit.reconfigure(adaptive({ initial: 40, max: 50 }).options);
    expect(limit.current).toBe(20);
    limit.reconfigure(adaptive({ max: 8 }).options);

    expect(limit.current).toBe(8);
    expect(told).toEqual([8]);
  });
});

describe('a bulkhead that takes on other options', () => {
  it('lets who waits wait as long as it was told when it came', async () => {
    const environment = new TestEnvironment();
    const options = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 1, maxWait: 100 };
    const bulkhead = new BulkheadGuard('b', options, environment);
    const work = new ManualWork();
    track(execute(bulkhead, newCall(environment), work.run));
    const waiting = track(execute(bulkhead, newCall(environment), work.run));

    bulkhead.reconfigure({ ...options, maxWait: 5_000, maxQueue: 0 });
    expect(bulkhead.waiting).toBe(1);
    await environment.clock.advance(100);
    await settle();

    expect((waiting.outcome as BulkheadFullException).explanation).toContain('within 100 ms');
  });

  it('can leave its limit to latency, and come back to a number', async () => {
    const environment = new TestEnvironment();
    const options = { ...BULKHEAD_DEFAULTS, maxConcurrent: 1 };
    const bulkhead = new BulkheadGuard('b', options, environment);
    const work = new ManualWork();
    track(execute(bulkhead, newCall(environment), work.run));

    bulkhead.reconfigure({ ...options, maxConcurrent: adaptive({ initial: 6 }) });
    expect(bulkhead.limit).toBe(6);
    work.succeed(0);
    await settle();
    expect(bulkhead.active).toBe(0);

    bulkhead.reconfigure({ ...options, maxConcurrent: 2 });
    expect(bulkhead.limit).toBe(2);
  });
});

describe('a rate limit that takes on other options', () => {
  const limiterOf = (environment: TestEnvironment, options: RateLimitOptions): RateLimiter =>
    new RateLimiter('r', resolveRateLimit('r', { onLimit: 'reject', maxKeys: 1_000, ...options }), environment);
  const become = (limiter: RateLimiter, options: RateLimitOptions): void =>
    limiter.reconfigure(resolveRateLimit('r', { onLimit: 'reject', maxKeys: 1_000, ...options }));
  const passes = (limiter: RateLimiter, environment: TestEnvironment, key = 'a'): boolean => {
    return limiter.admit(newCall(environment, { args: [key] }), Infinity) === undefined;
  };

  it('lets in who waits when the new rate gives them their turn', async () => {
    const environment = new TestEnvironment();
    const options = { limit: 1, per: 1_000, onLimit: 'queue' } as const;
    const limiter = limiterOf(environment, options);
    const guard = new RateLimitGuard(limiter);
    const run = () => track(execute(guard, newCall(environment), () => Promise.resolve()));
    run();
    const turns = [run(), run()];

    become(limiter, { ...options, limit: 10 });
    await environment.clock.advance(100);
    await settle();
    expect(turns.map(({ status }) => status)).toEqual(['fulfilled', 'pending']);
    await environment.clock.advance(100);
    await settle();

    expect(turns.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  });

  it('lets every key keep what it owes, also one that gets or loses a limit of its own', async () => {
    const environment = new TestEnvironment();
    const key = (of: string): string => of;
    const limiter = limiterOf(environment, { limit: 1, per: 1_000, key, overrides: { vip: 1 } });
    expect(['a', 'vip'].map((one) => passes(limiter, environment, one))).toEqual([true, true]);

    become(limiter, { limit: 1, per: 1_000, key, overrides: { a: 1 } });

    expect(['a', 'vip'].map((one) => passes(limiter, environment, one))).toEqual([false, false]);
    await environment.clock.advance(1_000);
    expect(['a', 'vip'].map((one) => passes(limiter, environment, one))).toEqual([true, true]);
  });

  it('counts what was let through against the new limit, so that a wrong one is not felt for ever', async () => {
    const environment = new TestEnvironment();
    const limiter = limiterOf(environment, { limit: 10, per: 1e15 });
    for (let call = 0; call < 3; call++) passes(limiter, environment);

    become(limiter, { limit: 5, per: 1_000 });
    expect([1, 2, 3].map(() => passes(limiter, environment))).toEqual([true, true, false]);

    become(limiter, { limit: 2, per: 1_000 });
    expect(passes(limiter, environment)).toBe(false);
    await environment.clock.advance(500);

    expect(passes(limiter, environment)).toBe(true);
  });

  it('comes down to fewer keys as new ones come', async () => {
    const environment = new TestEnvironment();
    const key = (of: string): string => of;
    const limiter = limiterOf(environment, { limit: 1, per: 1_000, key });
    for (let one = 0; one < 5; one++) passes(limiter, environment, `k${one}`);
    become(limiter, { limit: 1, per: 1_000, key, maxKeys: 2 });
    await environment.clock.advance(1_001);
    passes(limiter, environment, 'new');

    expect(limiter.keys).toBe(2);
  });
});

describe('a retry budget that takes on other options', () => {
  it('keeps what it holds as far as it fits', () => {
    const budget = new RetryBudget({ ratio: 0.2, perSecond: 0, min: 10 }, 0);
    for (let taken = 0; taken < 4; taken++) budget.take(0);

    budget.reconfigure({ ratio: 0.2, perSecond: 0, min: 20 }, 0);
    expect(budget.tokensAt(0)).toBe(6);
    budget.reconfigure({ ratio: 0.2, perSecond: 0, min: 3 }, 0);
    expect(budget.tokensAt(0)).toBe(3);
  });
});
