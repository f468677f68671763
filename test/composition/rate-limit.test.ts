import { AsyncLocalStorage } from 'node:async_hooks';
import { applyDecorators, Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitOpenException,
  Fallback,
  fixed,
  RateLimit,
  RateLimitExceededException,
  Recover,
  Resilient,
  Retry,
  ShutdownException,
  Timeout,
  TimeoutException,
} from 'nestjs-bulwark';
import { concat, NEVER, Observable, of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred, fail, guard, hang, pass, settle, startApp, watch, type MethodGuard, type Watched } from './scene.js';

const BREAKER = { volumeThreshold: 1, resetTimeout: 1_000, resetJitter: 0, timeout: false } as const;
const ONE = { limit: 1, per: 1_000 };
const QUEUE = { limit: 10, per: 1_000, onLimit: 'queue' } as const;

const errors = (calls: readonly Watched[]): unknown[] =>
  calls.map(({ error }) => (error as Error | undefined)?.constructor);

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance', 'Date'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('@RateLimit', () => {
  it('stands between breaker and attempt timeout, wherever it is written', async () => {
    const all: MethodGuard[] = [
      RateLimit(ONE),
      Recover(),
      Bulkhead(1),
      Timeout({ perAttempt: 50, total: 100 }),
      CircuitBreaker(BREAKER),
      Fallback({ value: 1 }),
      Retry(2),
    ];
    for (const guards of [all, all.toReversed()]) {
      const scene = await guard(guards, () => 'value');

      expect(scene.order()).toEqual([
        'recover',
        'fallback',
        'timeout.total',
        'retry',
        'circuitBreaker',
        'rateLimit',
        'timeout.perAttempt',
        'bulkhead',
      ]);
    }
  });

  it('lets the breaker judge before the next call has the slot, also of calls that waited for their turn', async () => {
    const runs: Deferred[] = [];
    const scene = await guard(
      [
        RateLimit({ limit: 1_000, per: 1_000, onLimit: 'queue' }),
        Bulkhead({ maxConcurrent: 1, maxQueue: 10 }),
        Timeout({ perAttempt: 1_000 }),
        CircuitBreaker(BREAKER),
      ],
      () => {
        const run = new Deferred();
        runs.push(run);
        return run.promise;
      },
    );
    const calls = Array.from({ length: 4 }, () => watch(scene.call()));
    await pass(10);

    runs[0]?.resolve('first');
    await settle();
    runs[1]?.reject(new Error('down'));
    await settle();

    expect(scene.breaker().state).toBe('open');
    expect(runs).toHaveLength(2);
    expect(errors(calls)).toEqual([undefined, Error, CircuitOpenException, CircuitOpenException]);
  });

  it('is shown with its options and where each came from', async () => {
    const scene = await guard([RateLimit('api', { warmUp: { over: 100 } }), CircuitBreaker()], () => 'value', {
      policies: { default: { rateLimit: { per: 60_000 } }, api: {} },
    }).catch((error: Error) => error.message);
    expect(scene).toContain("a rate limit has no built-in value: expected 'limit'");

    const shown = await guard([RateLimit({ limit: 20 })], () => 'value', {
      policies: { default: { rateLimit: { per: 60_000, onLimit: 'reject' } } },
    });

    expect(shown.plan()?.policies).toEqual([
      {
        policy: 'rateLimit',
        name: 'Service.call',
        options: { limit: 20, per: 60_000, burst: 20, onLimit: 'reject', maxKeys: 100_000, mode: 'normal' },
        sources: {
          limit: '@RateLimit',
          per: 'policies.default',
          burst: 'limit',
          onLimit: 'policies.default',
          maxKeys: 'built-in',
          mode: 'built-in',
        },
      },
    ]);
  });

  it('is one limit for all methods that name it, and one each without a name', async () => {
    @Injectable()
    class Service {
      @RateLimit('shared', ONE)
      async one(): Promise<string> {
        return 'one';
      }
      @RateLimit('shared')
      async other(): Promise<string> {
        return 'other';
      }
      @RateLimit(ONE)
      async own(): Promise<string> {
        return 'own';
      }
      @RateLimit(ONE)
      async ownToo(): Promise<string> {
        return 'own too';
      }
    }
    const service = (await startApp([Service])).get(Service);

    const calls = [service.one(), service.other(), service.own(), service.ownToo()].map(watch);
    await settle();

    expect(calls.map(({ value }) => value)).toEqual(['one', undefined, 'own', 'own too']);
    expect(calls[1]?.error).toMatchObject({ instanceName: 'shared', retryAfterMs: 1_000 });
  });

  it('bounds each method of a class', async () => {
    @Injectable()
    @RateLimit(ONE)
    class Service {
      async one(): Promise<string> {
        return 'one';
      }
      @RateLimit(false)
      async free(): Promise<string> {
        return 'free';
      }
      sync(): string {
        return 'sync';
      }
    }
    const service = (await startApp([Service])).get(Service);

    const calls = [service.one(), service.one(), service.free(), service.free()].map(watch);
    await settle();

    expect(calls.map(({ value }) => value)).toEqual(['one', undefined, 'free', 'free']);
    expect([service.sync(), service.sync()]).toEqual(['sync', 'sync']);
  });

  it('takes a set, by name and by reference', async () => {
    const policies = { api: { rateLimit: ONE }, other: { rateLimit: 'api' } };
    const scene = await guard([Resilient('other')], () => 'value', { policies });

    expect(scene.plan()?.policies).toMatchObject([{ policy: 'rateLimit', name: 'api', options: ONE }]);
    const refused = await scene.resilience
      .execute('api', () => 1)
      .then(() => scene.call())
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RateLimitExceededException);
  });

  it('needs a name in a set for execute()', async () => {
    const { resilience } = await startApp([]);

    await expect(resilience.execute({ rateLimit: ONE }, () => 1)).rejects.toThrow('a set with a rateLimit keeps state');
    await expect(resilience.execute({ name: 'x', rateLimit: ONE }, () => 1)).resolves.toBe(1);
  });

  it('asks for key and cost with the arguments of the call', async () => {
    @Injectable()
    class Service {
      @RateLimit({
        limit: 100,
        per: 1_000,
        key: (tenant: string) => tenant,
        overrides: { acme: 200 },
        cost: (_tenant: string, tokens: number) => tokens,
      })
      async complete(tenant: string, tokens: number): Promise<string> {
        return `${tenant} ${tokens}`;
      }
    }
    const service = (await startApp([Service])).get(Service);

    const calls = [
      service.complete('acme', 150),
      service.complete('other', 60),
      service.complete('other', 60),
      service.complete('acme', 50),
    ].map(watch);
    await settle();

    expect(calls.map(({ value }) => value)).toEqual(['acme 150', 'other 60', undefined, 'acme 50']);
    expect(calls[2]?.error).toMatchObject({ instanceName: 'Service.complete[other]', retryAfterMs: 200 });
  });
});

describe('a refusal by a rate limit', () => {
  it('counts nowhere in the breaker around', async () => {
    const scene = await guard([RateLimit(ONE), CircuitBreaker(BREAKER)], () => 'value');

    const calls = Array.from({ length: 20 }, () => watch(scene.call()));
    await settle();

    expect(errors(calls).slice(1)).toEqual(new Array(19).fill(RateLimitExceededException));
    expect(scene.breaker().state).toBe('closed');
    expect(scene.breaker().stats).toMatchObject({ successes: 1, failures: 0, rejects: 0 });
    expect(scene.events.filter((event) => event === 'rateLimit refused')).toHaveLength(19);
    expect(scene.events.filter((event) => event === 'circuitBreaker ignored')).toHaveLength(19);
  });

  it('hands the permit of a half-open breaker back', async () => {
    const scene = await guard([RateLimit({ limit: 1, per: 1_500 }), CircuitBreaker(BREAKER)], (run) =>
      run === 1 ? Promise.reject(new Error('down')) : 'value',
    );
    await scene.call().catch(() => {});
    await pass(1_000);

    const refused = watch(scene.call());
    await settle();
    expect(refused.error).toBeInstanceOf(RateLimitExceededException);
    expect(scene.breaker().state).toBe('halfOpen');
    await pass(500);
    await scene.call();

    expect(scene.breaker().state).toBe('closed');
  });

  it('is not retried, unless retryOn names it; then not before its time', async () => {
    const plain = await guard([RateLimit(ONE), Retry({ backoff: fixed(10) })], () => 'value');
    const named = await guard(
      [RateLimit(ONE), Retry({ backoff: fixed(10), retryOn: RateLimitExceededException })],
      () => 'value',
    );
    await Promise.all([plain.call(), named.call()]);
    await pass(100);

    const [refused, retried] = [watch(plain.call()), watch(named.call())];
    await pass(1_000);

    expect(refused).toMatchObject({ at: 100, error: expect.any(RateLimitExceededException) });
    expect(retried).toMatchObject({ at: 1_000, value: 'value' });
  });

  it('is answered by a fallback', async () => {
    const scene = await guard([RateLimit(ONE), Fallback({ value: 'cached' })], () => 'value');

    expect([await scene.call(), await scene.call()]).toEqual(['value', 'cached']);
  });

  it('spends a place for each attempt', async () => {
    const scene = await guard(
      [RateLimit({ limit: 2, per: 1_000 }), Retry({ maxAttempts: 5, backoff: fixed(1) })],
      fail(),
    );

    const call = watch(scene.call());
    await pass(10);

    expect(scene.runs()).toBe(2);
    expect(call.error).toBeInstanceOf(RateLimitExceededException);
  });
});

describe('a call that waits for its rate limit', () => {
  const five = async (guards: MethodGuard[], work: () => unknown = () => 'value') => {
    const scene = await guard(guards, work);
    const calls = Array.from({ length: 5 }, () => watch(scene.call()));
    await settle();
    return { scene, calls };
  };

  it('begins when its turn comes', async () => {
    const { scene, calls } = await five([RateLimit(QUEUE)]);
    expect(scene.runs()).toBe(1);

    await pass(400);

    expect(calls.map(({ at }) => at)).toEqual([0, 100, 200, 300, 400]);
  });

  it('is refused at once, when the limit of its attempt or of the whole call would be over', async () => {
    for (const limit of [Timeout(250), Timeout({ total: 250 })]) {
      const { calls } = await five([RateLimit(QUEUE), limit]);

      expect(errors(calls)).toEqual([
        undefined,
        undefined,
        undefined,
        RateLimitExceededException,
        RateLimitExceededException,
      ]);
      expect(calls[4]?.at).toBe(performance.now());
    }
  });

  it('has the rest of its attempt for the run', async () => {
    const { calls } = await five([RateLimit(QUEUE), Timeout(250)], hang);
    const start = performance.now();

    await pass(250);

    expect(errors(calls).slice(0, 3)).toEqual([TimeoutException, TimeoutException, TimeoutException]);
    expect(calls.slice(0, 3).map(({ at }) => at - start)).toEqual([250, 250, 250]);
  });

  it('does not count its wait as the time of the dependency', async () => {
    const { scene } = await five([RateLimit(QUEUE), CircuitBreaker(BREAKER)]);

    await pass(400);

    const latencies = scene.log.filter((event) => event.type === 'success').map(({ latencyMs }) => latencyMs);
    expect(latencies).toEqual([0, 0, 0, 0, 0]);
  });

  it('ends with the breaker that trips, and with its caller', async () => {
    const scene = await guard([RateLimit(QUEUE), CircuitBreaker(BREAKER)], (run) =>
      run === 2 ? Promise.reject(new Error('down')) : 'value',
    );
    const caller = new AbortController();
    const calls = [undefined, undefined, undefined, caller.signal].map((signal) => watch(scene.call(signal)));
    await settle();

    caller.abort('gone');
    await settle();
    expect(calls[3]?.error).toBe('gone');
    await pass(100);

    expect(errors(calls).slice(0, 3)).toEqual([undefined, Error, CircuitOpenException]);
    expect(calls[2]?.at).toBe(calls[1]?.at);
    expect(scene.runs()).toBe(2);
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
  });

  it('ends when the app does', async () => {
    const { scene, calls } = await five([RateLimit(QUEUE)]);

    await scene.module.close();

    expect(errors(calls)).toEqual([undefined, ...new Array<unknown>(4).fill(ShutdownException)]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on in the context of its caller', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const scene = await guard([RateLimit(QUEUE), Timeout(1_000), CircuitBreaker(BREAKER)], () =>
      seen.push(storage.getStore()),
    );

    const calls = ['a', 'b', 'c'].map((name) => storage.run(name, () => watch(scene.call())));
    await pass(200);

    expect(calls.every(({ settled }) => settled)).toBe(true);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('is refused as the probe of a half-open breaker', async () => {
    @Injectable()
    class Service {
      @RateLimit('api', QUEUE)
      @CircuitBreaker('api', BREAKER)
      async call(): Promise<string> {
        throw new Error('down');
      }
      @RateLimit('api')
      async other(): Promise<string> {
        return 'value';
      }
    }
    const scene = await startApp([Service]);
    const service = scene.get(Service);
    await service.call().catch(() => {});
    await pass(1_000);
    await service.other();

    const probe = watch(service.call());
    await settle();

    expect(probe.error).toBeInstanceOf(RateLimitExceededException);
    expect(scene.breaker('api').state).toBe('halfOpen');
  });
});

describe('a stream under a rate limit', () => {
  const streaming = async (guards: MethodGuard[]) => {
    @Injectable()
    class Service {
      @applyDecorators(...guards)
      observable(): Observable<number> {
        return concat(of(1, 2, 3), NEVER);
      }
      @applyDecorators(...guards)
      async *iterable(): AsyncGenerator<number> {
        yield* [1, 2, 3];
      }
    }
    return (await startApp([Service])).get(Service);
  };

  it('is one call for each subscription', async () => {
    const service = await streaming([RateLimit(ONE)]);
    const source = service.observable();
    await pass(5_000);
    const heard: unknown[] = [];
    const listen = () => source.subscribe({ next: (item) => heard.push(item), error: (error) => heard.push(error) });

    listen();
    await settle();
    listen();
    await settle();

    expect(heard).toEqual([1, 2, 3, expect.any(RateLimitExceededException)]);
  });

  it('is one call for each iteration', async () => {
    const service = await streaming([RateLimit(ONE)]);
    const all = async (): Promise<number[]> => {
      const items: number[] = [];
      for await (const item of service.iterable()) items.push(item);
      return items;
    };

    expect(await all()).toEqual([1, 2, 3]);
    await expect(all()).rejects.toBeInstanceOf(RateLimitExceededException);
  });

  it('leaves the line when its subscriber does', async () => {
    const service = await streaming([RateLimit(QUEUE)]);
    const times: number[] = [];
    const listen = () =>
      service.observable().subscribe({ next: (item) => item === 1 && times.push(performance.now()) });
    const start = performance.now();

    const [, second] = [listen(), listen(), listen()];
    await settle();
    second.unsubscribe();
    await pass(500);

    expect(times.map((at) => at - start)).toEqual([0, 100]);
  });
});
