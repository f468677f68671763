import { AsyncLocalStorage } from 'node:async_hooks';
import { Breaker, CircuitBreakerHandle, consecutiveFailures, ResilienceConfigurationError } from 'nestjs-bulwark';
import OpossumBreaker from 'opossum';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { errorOf } from '../../../support/settle.js';

const OPTIONS = { trip: consecutiveFailures(1), resetTimeout: 1_000, resetJitter: 0 };
const fail = (): Promise<never> => Promise.reject(new Error('no'));
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('a breaker made by hand', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('is one of ours and of opossum, with its name, its group and the defaults of @CircuitBreaker', () => {
    const breaker = new Breaker('payments');

    expect(breaker).toBeInstanceOf(OpossumBreaker);
    expect(breaker).toMatchObject({ name: 'payments', group: 'payments', state: 'closed', volumeThreshold: 10 });
    expect(breaker.options).toMatchObject({ timeout: 10_000, errorThresholdPercentage: 50, resetTimeout: 30_000 });
    expect(new Breaker('payments', { group: 'money' }).group).toBe('money');
    expect(new CircuitBreakerHandle(breaker).stats.fires).toBe(0);
  });

  it('trips, refuses, probes and closes, without an app', async () => {
    const breaker = new Breaker('payments', OPTIONS);
    const heard: string[] = [];
    for (const event of ['open', 'halfOpen', 'close', 'reject']) breaker.on(event, () => heard.push(event));

    await errorOf(breaker.fire(fail));
    const refusal = await errorOf(breaker.fire(() => 'run'));
    expect(refusal).toMatchObject({ code: 'CIRCUIT_OPEN', instanceName: 'payments', retryAfterMs: 1_000 });
    await pass(1_010);
    expect(heard).toEqual(['open', 'reject', 'halfOpen']);
    await breaker.fire(() => 'run');

    expect(heard).toEqual(['open', 'reject', 'halfOpen', 'close']);
    // As every breaker of ours it begins anew when it closes.
    expect([breaker.state, breaker.stats.failures]).toEqual(['closed', 0]);
  });

  it('bounds what it fires by its own timeout', async () => {
    const breaker = new Breaker('payments', { timeout: 500 });
    const call = errorOf(breaker.fire(() => new Promise(() => {})));

    await pass(500);

    expect(await call).toMatchObject({ code: 'TIMEOUT' });
  });

  it('has no timer while nothing runs, and none that is left over, when it was shut down', async () => {
    const breaker = new Breaker('payments', { ...OPTIONS, timeout: 500, allowWarmUp: true });
    expect(vi.getTimerCount()).toBe(0);
    breaker.on('halfOpen', () => {});
    breaker.status.on('snapshot', () => {});
    breaker.healthCheck(() => Promise.resolve(), 1_000);
    await errorOf(breaker.fire(fail));
    breaker.open();
    expect(vi.getTimerCount()).toBeGreaterThan(0);

    breaker.shutdown();

    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['fire', (breaker: Breaker) => breaker.fire('EUR' as never), "'EUR'"],
    ['fire', (breaker: Breaker) => breaker.fire(undefined as never), 'undefined'],
    ['call', (breaker: Breaker) => breaker.call({}, 'EUR' as never), "'EUR'"],
  ])('counts nothing where %s() is given no action', async (_method, fire, given) => {
    const breaker = new Breaker('payments', OPTIONS).fallback(() => 'answered');

    const error = await errorOf(fire(breaker));

    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({
      message: `circuit breaker payments: fire() takes the action first, and then its arguments: expected a function, got ${given}`,
    });
    expect(breaker.state).toBe('closed');
    expect(breaker.stats).toMatchObject({ fires: 0, failures: 0 });
  });

  it('shares nothing with another of its name', async () => {
    const [one, other] = [new Breaker('payments', OPTIONS), new Breaker('payments', OPTIONS)];

    await errorOf(one.fire(fail));

    expect([one.state, other.state]).toEqual(['open', 'closed']);
  });

  it('says on the console what a callback throws, once a minute for each', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const breaker = new Breaker('payments', {
      errorFilter: () => {
        throw new Error('a filter');
      },
    });
    breaker.on('failure', () => {
      throw new Error('a listener');
    });

    for (let call = 0; call < 5; call++) await errorOf(breaker.fire(fail));
    expect(log.mock.calls.map(([text]) => String(text).split('\n')[0])).toEqual([
      '[Bulwark] payments, errorFilter failed: Error: a filter',
      "[Bulwark] payments, a listener of 'failure' failed: Error: a listener",
    ]);
    await pass(60_000);
    await errorOf(breaker.fire(fail));

    expect(log).toHaveBeenCalledTimes(4);
  });

  it.each([
    [undefined, {}, /^new Breaker\(\): name: expected a non-empty string, got undefined/],
    ['', {}, /^new Breaker\(\): name: expected a non-empty string/],
    ['payments', { volumeThreshold: -1 }, /^circuit breaker payments: option 'volumeThreshold': expected/],
    ['payments', { volume: 1 }, /^circuit breaker payments: unknown option 'volume' \(got 1\); expected one of/],
    ['payments', { capacity: 5 }, /unknown option 'capacity' \(got 5\): @Bulkhead\(n\).*; expected one of/],
    ['payments', { state: {} }, /unknown option 'state' .*: snapshot\(\) and restore\(\)/],
    ['payments', { key: () => 'one' }, /^circuit breaker payments: option 'key': expected none/],
    ['payments', { scope: 'class' }, /option 'scope': expected none/],
    ['payments', null, /^circuit breaker payments: expected an options object, got null/],
    [
      'payments',
      () => 'an action',
      /^circuit breaker payments: options: expected an options object.*to fire\(action, /,
    ],
    [
      async () => 1,
      {},
      /^new Breaker\(\): name: expected a non-empty string, got .*; the action is given to fire\(action, /,
    ],
  ])('is refused with what was expected: %j, %j', (name, options, message) => {
    const make = (): Breaker => new Breaker(name as string, options as never);

    expect(make).toThrow(message);
    expect(make).toThrow(ResilienceConfigurationError);
  });

  it('takes an option that is undefined for an absent one, and changes none', () => {
    const options = Object.freeze({ timeout: undefined, resetTimeout: 5 }) as never;

    expect(new Breaker('payments', options).options).toMatchObject({ timeout: 10_000, resetTimeout: 5 });
  });

  it('keeps no request alive that made, opened or fired it', async () => {
    const context = new AsyncLocalStorage<string>();
    const stores: unknown[] = [];
    const timers = vi.spyOn(globalThis, 'setTimeout').mockImplementation((() => {
      stores.push(context.getStore());
      return { ref: () => {}, unref: () => {} };
    }) as never);

    await context.run('the request', async () => {
      const breaker = new Breaker('payments', OPTIONS);
      breaker.on('halfOpen', () => {});
      breaker.status.on('snapshot', () => {});
      breaker.healthCheck(() => Promise.resolve());
      await errorOf(breaker.fire(fail));
    });

    expect(timers).toHaveBeenCalled();
    expect(stores.filter((store) => store !== undefined)).toEqual([]);
  });
});
