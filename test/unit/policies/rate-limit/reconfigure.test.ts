import { describe, expect, it } from 'vitest';
import { resolveRateLimit, type RateLimitOptions } from '../../../../lib/policies/rate-limit/rate-limit.options.js';
import { RateLimitGuard } from '../../../../lib/policies/rate-limit/rate-limit.guard.js';
import { RateLimiter } from '../../../../lib/policies/rate-limit/rate-limiter.js';
import { execute, newCall } from '../../../support/calls.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

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

  it('has a limit of its own for a key that was not seen before', () => {
    const environment = new TestEnvironment();
    const options = { limit: 1, per: 1_000, key: (of: string): string => of };
    const limiter = limiterOf(environment, options);

    become(limiter, { ...options, overrides: { vip: 3 } });

    expect([1, 2, 3, 4].map(() => passes(limiter, environment, 'vip'))).toEqual([true, true, true, false]);
    expect([1, 2].map(() => passes(limiter, environment, 'a'))).toEqual([true, false]);
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
