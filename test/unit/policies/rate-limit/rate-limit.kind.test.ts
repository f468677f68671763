import { describe, expect, it } from 'vitest';
import { RateLimitExceededException } from '../../../../lib/errors/rate-limit-exceeded.exception.js';
import { Loss } from '../../../../lib/kernel/loss.js';
import type { Making } from '../../../../lib/kernel/making.js';
import type { PlannedStep } from '../../../../lib/kernel/policy-kind.js';
import type { PolicyEnvironment } from '../../../../lib/kernel/policy.js';
import { expectStore, RATE_LIMIT, RATE_LIMITERS } from '../../../../lib/policies/rate-limit/rate-limit.kind.js';
import type { RateLimitOptions } from '../../../../lib/policies/rate-limit/rate-limit.options.js';
import type { RateLimiter } from '../../../../lib/policies/rate-limit/rate-limiter.js';
import { execute, method, newCall } from '../../../support/calls.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';
import { FakeStore } from './cluster/fake-store.js';

const QUEUE = { limit: 10, per: 1_000, onLimit: 'queue' } as const;

function optionsOf(options: RateLimitOptions) {
  return { ...RATE_LIMIT.defaults, ...RATE_LIMIT.parse('place', options) };
}

function limiterOf(options: RateLimitOptions, environment = new TestEnvironment()): RateLimiter {
  const resolved = RATE_LIMIT.resolve?.('place', optionsOf(options)) ?? {};
  return RATE_LIMITERS.create('search', resolved, environment, undefined);
}

/** Makes the policy of a step that has these options. */
function make(options: RateLimitOptions, environment: TestEnvironment, attemptLimit?: number) {
  const limiter = limiterOf(options, environment);
  const step: PlannedStep<'rateLimit'> = {
    place: 'rateLimit',
    name: 'search',
    options: { ...limiter.options },
    sources: {},
    ruling: undefined,
  };
  const making = { environment, attemptLimit, state: () => limiter } as unknown as Making;
  const made = RATE_LIMIT.make(step, making);
  if (!('guard' in made)) throw new Error('expected a guard');
  const { guard } = made;
  const call = () =>
    track(
      execute(
        guard,
        newCall(environment),
        method(() => Promise.resolve('done')),
      ),
    );
  return { limiter, guard, call };
}

describe('the options of a rate limit', () => {
  it('are a copy of what was said, which others may change later', () => {
    const said = { limit: 5, per: 100 };

    const parsed = RATE_LIMIT.parse('place', said);
    said.limit = 6;

    expect(parsed).toEqual({ limit: 5, per: 100 });
    expect(() => RATE_LIMIT.parse('place', { limit: -5 })).toThrow("place: option 'limit'");
  });

  it.each([
    [{}, true],
    [{ limit: 10 }, true],
    [{ per: 1_000 }, true],
    [{ onLimit: 'queue', burst: 3 }, true],
    [{ limit: 10, per: 1_000 }, false],
  ] as const)('%j make no limit: %s', (options, isEmpty) => {
    expect(RATE_LIMIT.isEmpty?.(options)).toBe(isEmpty);
  });

  it('say in the end how much may begin at once, which follows from the limit', () => {
    expect(RATE_LIMIT.resolve?.('place', optionsOf({ limit: 5, per: 100 }))).toEqual({
      limit: 5,
      per: 100,
      burst: 5,
      onLimit: 'reject',
      maxKeys: 100_000,
      mode: 'normal',
    });
    expect(RATE_LIMIT.derived).toEqual({ burst: 'limit' });
    expect(() => RATE_LIMIT.resolve?.('place', optionsOf({ limit: 5 }))).toThrow('place: a rate limit has no built-in');
  });
});

describe('what would be lost with a rate limit', () => {
  it('is nothing where nothing was used, or time has given it back', async () => {
    const environment = new TestEnvironment();
    const { limiter, call } = make({ limit: 2, per: 1_000 }, environment);
    const loss = () => RATE_LIMITERS.lossWith(limiter, environment.clock.now());
    expect(loss()).toBe(Loss.Nothing);

    call();
    await environment.clock.advance(499);
    expect(loss()).toBe(Loss.Memory);
    await environment.clock.advance(1);

    expect(loss()).toBe(Loss.Nothing);
  });

  it('is what a key has used, where each has a limit of its own', async () => {
    const environment = new TestEnvironment();
    const limiter = limiterOf({ limit: 2, per: 1_000, key: (key: string) => key, overrides: { vip: 1 } }, environment);
    const loss = () => RATE_LIMITERS.lossWith(limiter, environment.clock.now());
    expect(loss()).toBe(Loss.Nothing);

    limiter.admit(newCall(environment, { args: ['a'] }), Infinity);
    expect(loss()).toBe(Loss.Memory);
    await environment.clock.advance(500);
    expect(loss()).toBe(Loss.Nothing);
    limiter.admit(newCall(environment, { args: ['vip'] }), Infinity);
    await environment.clock.advance(999);
    expect(loss()).toBe(Loss.Memory);
    await environment.clock.advance(1);

    expect(loss()).toBe(Loss.Nothing);
  });

  it('is work where calls wait', async () => {
    const environment = new TestEnvironment();
    const { limiter, call } = make(QUEUE, environment);
    call();
    call();

    expect(RATE_LIMITERS.lossWith(limiter, environment.clock.now())).toBe(Loss.Work);
    await environment.clock.advance(100);

    expect(RATE_LIMITERS.lossWith(limiter, environment.clock.now())).toBe(Loss.Memory);
  });
});

describe('the guard of a rate limit', () => {
  it('counts in the limiter of its name', async () => {
    const environment = new TestEnvironment();
    const { limiter, call } = make({ limit: 1, per: 1_000 }, environment);

    const calls = [call(), call()];
    await settle();

    expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(calls[1]?.outcome).toBeInstanceOf(RateLimitExceededException);
    expect(limiter.name).toBe('search');
  });

  it('lets no attempt wait longer than its limit allows', async () => {
    const { call } = make(QUEUE, new TestEnvironment(), 100);

    const calls = [call(), call(), call()];
    await settle();

    expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'pending', 'rejected']);
  });

  it('holds nothing while the attempt runs, so that nothing need be given back', () => {
    expect(make(QUEUE, new TestEnvironment()).guard.holds).toBe(false);
  });
});

describe('a rate limit of a cluster', () => {
  const scopes = (scope: string | undefined) => ({ name: 'search', options: scope === undefined ? {} : { scope } });
  const environments: Record<string, PolicyEnvironment> = {
    store: Object.assign(new TestEnvironment(), { rateStore: new FakeStore(), expectsRateStore: true }),
    expected: Object.assign(new TestEnvironment(), { expectsRateStore: true }),
    nobody: new TestEnvironment(),
  };

  it('is a mistake where the app has no store to count in, and says what to import', () => {
    const expected = Object.assign(new TestEnvironment(), { expectsRateStore: true });

    expect(() => make({ limit: 10, per: 1_000, scope: 'cluster' }, expected)).toThrow(
      /^rate limit 'search': option 'scope': 'cluster' counts in Redis; expected ResilienceRedisModule/,
    );
  });

  it.each([
    ['cluster', 'store'],
    ['cluster', 'nobody'],
    ['class', 'expected'],
    [undefined, 'expected'],
  ])('is none with scope %s and the store: %s', (scope, store) => {
    expect(() => expectStore(scopes(scope), environments[store] as PolicyEnvironment)).not.toThrow();
  });
});
