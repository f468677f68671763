import { Injectable, Scope } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  Coalesce,
  consecutiveFailures,
  currentCall,
  Fallback,
  fixed,
  Hedge,
  ResilienceConfigurationError,
  Resilient,
  ResilienceService,
  Retry,
  slowCallRate,
  Timeout,
} from 'nestjs-bulwark';
import { Observable, of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred, fail, guard, hang, pass, settle, startApp, watch } from './scene.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const slowAtFirst = (run: number): unknown => (run === 1 ? hang() : `run ${run}`);

describe('a hedge in a pipeline', () => {
  it('stands inside retry and around the breaker', async () => {
    const scene = await guard(
      [Hedge({ after: 50 }), CircuitBreaker(), Retry(2), Coalesce({ key: () => 'one' }), Timeout({ total: 1_000 })],
      () => 'value',
    );

    expect(scene.order()).toEqual([
      'timeout.total',
      'coalesce',
      'retry',
      'hedge',
      'circuitBreaker',
      'timeout.perAttempt',
    ]);
  });

  it('answers in place of a call that hangs; the breaker sees each attempt, and ignores the one that lost', async () => {
    const scene = await guard([Hedge({ after: 50 }), CircuitBreaker()], slowAtFirst);
    const result = watch(scene.call());
    await pass(50);

    expect(result.value).toBe('run 2');
    expect(scene.breaker().stats).toMatchObject({ fires: 2, successes: 1, failures: 0 });
    expect(scene.log).toMatchObject([
      { type: 'hedge', attempt: 2 },
      { type: 'success' },
      { type: 'ignored', reason: 'a faster attempt answered' },
    ]);
  });

  it('lets a lost attempt count as slow', async () => {
    const trip = slowCallRate({ slowerThan: 40, percentage: 50 });
    const scene = await guard([Hedge({ after: 50 }), CircuitBreaker({ trip, volumeThreshold: 4 })], (run) =>
      run % 2 === 1 ? hang() : 'fast',
    );
    for (let one = 0; one < 3; one++) {
      watch(scene.call());
      await pass(50);
    }

    expect(scene.breaker().state).toBe('open');
  });

  it('does not hedge a probe of a half-open breaker', async () => {
    const scene = await guard(
      [Hedge({ after: 50 }), CircuitBreaker({ trip: consecutiveFailures(1), resetTimeout: 1_000, resetJitter: 0 })],
      (run) => (run === 1 ? Promise.reject(new Error('down')) : hang()),
    );
    await scene.call().catch(() => undefined);
    await pass(1_000);
    watch(scene.call());
    await pass(500);

    expect(scene.runs()).toBe(2);
  });

  it('is retried as a whole: hedges have numbers, but do not use up the attempts of the retry', async () => {
    const attempts: unknown[] = [];
    const scene = await guard([Hedge({ after: 50 }), Retry({ maxAttempts: 3, backoff: fixed(0) })], async () => {
      attempts.push(scene.runs());
      await new Promise((resolve) => setTimeout(resolve, 80));
      throw new Error('down');
    });
    const result = watch(scene.call());
    await pass(2_000);

    expect(result.error).toMatchObject({ message: 'down' });
    expect(scene.runs()).toBe(6);
    expect(
      scene.log.filter(({ type }) => type === 'hedge').map((event) => 'attempt' in event && event.attempt),
    ).toEqual([2, 4, 6]);
    expect(attempts).toHaveLength(6);
  });

  it('frees the slot of a lost attempt when its work has really ended', async () => {
    const first = new Deferred();
    const scene = await guard([Hedge({ after: 50 }), Bulkhead(2)], (run) => (run === 1 ? first.promise : `run ${run}`));
    const result = watch(scene.call());
    await pass(50);
    expect(result.value).toBe('run 2');
    const second = await scene.call();
    expect(second).toBe('run 3');
    first.resolve('late');
    await settle();

    expect(await scene.call()).toBe('run 4');
  });

  it('waits for the first attempt, when the further one is refused', async () => {
    const first = new Deferred();
    const scene = await guard([Hedge({ after: 50 }), Bulkhead(1)], () => first.promise);
    const result = watch(scene.call());
    await pass(200);
    expect(result.settled).toBe(false);
    first.resolve('value');
    await settle();

    expect(result.value).toBe('value');
    expect(scene.runs()).toBe(1);
  });

  it('is cut as a whole by the total limit, before a fallback answers', async () => {
    const signals: AbortSignal[] = [];
    const scene = await guard(
      [Hedge({ after: 50, maxAttempts: 3 }), Timeout({ total: 180 }), Fallback(() => 'substitute')],
      (_run, signal) => (signals.push(signal), hang()),
    );
    const result = watch(scene.call());
    await pass(200);

    expect(result.value).toBe('substitute');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
  });

  it.each([
    ['an Observable', 'observable' as const],
    ['an async iterable', 'asyncIterable' as const],
  ])('cannot stand on a method that gives %s, nor can a single flight', async (what, returns) => {
    class Streams {
      @Resilient({ returns, hedge: { after: 50 } })
      stream(): Observable<number> {
        return of(1);
      }
    }
    class Flights {
      @Resilient({ returns, coalesce: { key: () => 'one' } })
      stream(): Observable<number> {
        return of(1);
      }
    }
    Reflect.defineMetadata('design:returntype', Object, Streams.prototype, 'stream');

    await expect(startApp([Streams])).rejects.toThrow(/Streams\.stream, @Resilient: a hedge expects .* promise, got/);
    await expect(startApp([Flights])).rejects.toThrow(/Flights\.stream, @Resilient: a single flight expects/);
    expect(what).not.toBe('');
  });

  it('needs a delay, and a single flight needs a key', async () => {
    await expect(guard([Hedge('default')], () => 1, { policies: { default: { hedge: {} } } })).rejects.toThrow(
      /Service\.call, @Hedge: .*'after'/,
    );
    await expect(guard([Resilient('flights')], () => 1, { policies: { flights: { coalesce: {} } } })).rejects.toThrow(
      /'key'/,
    );
  });

  it('takes its delay from a named set', async () => {
    const scene = await guard([Hedge('patient')], slowAtFirst, {
      policies: { default: { hedge: { maxAttempts: 3 } }, patient: { hedge: { after: 200 } } },
    });

    expect(scene.plan()?.policies).toMatchObject([
      { policy: 'hedge', name: 'patient', options: { after: 200, maxAttempts: 3 } },
    ]);
  });

  it('stands aside under the kill switch, as a single flight does', async () => {
    const guards = [Hedge({ after: 50 }), Coalesce({ key: () => 'one' })];
    const scene = await guard(guards, slowAtFirst, { enabled: false });
    watch(scene.call());
    watch(scene.call());
    await pass(1_000);

    expect(scene.order()).toEqual([]);
    expect(scene.runs()).toBe(2);
  });
});

describe('the retry budget', () => {
  const spend = async (scene: { call: () => Promise<unknown> }, calls: number): Promise<void> => {
    for (let one = 0; one < calls; one++) await scene.call().catch(() => undefined);
  };
  const retry = (options: object = {}) => Retry({ maxAttempts: 2, backoff: fixed(0), ...options });

  it('is on by default: retries end when it is spent', async () => {
    const scene = await guard([retry()], fail());
    await spend(scene, 100);

    // Ten at the start, and one for every five calls.
    expect(scene.runs()).toBeGreaterThanOrEqual(100 + 10 + 18);
    expect(scene.runs()).toBeLessThanOrEqual(100 + 10 + 20);
    expect(scene.log.at(-1)).toMatchObject({ type: 'retrySuppressed', policy: 'retry', reason: 'budget' });
    expect(scene.plan()?.policies[0]?.options.budget).toEqual({ ratio: 0.2, perSecond: 0.1, min: 10 });
  });

  it('can be another, or none', async () => {
    const small = await guard([retry({ budget: { min: 2, ratio: 0, perSecond: 0 } })], fail());
    await spend(small, 50);
    const none = await guard([retry({ budget: false })], fail());
    await spend(none, 50);

    expect(small.runs()).toBe(52);
    expect(none.runs()).toBe(100);
  });

  it('is not earned by calls that the breaker refuses', async () => {
    const budget = { ratio: 1, perSecond: 0, min: 0 };
    const scene = await guard(
      [
        Retry({ maxAttempts: 2, backoff: fixed(0), budget }),
        CircuitBreaker({ trip: consecutiveFailures(1), resetTimeout: 1_000, resetJitter: 0 }),
      ],
      fail(),
    );
    await spend(scene, 20);
    // The first call earned one token; its retry found the breaker open, and so did all the others.
    await pass(1_000);
    await spend(scene, 1);

    const suppressed = scene.log.filter(({ type }) => type === 'retrySuppressed');
    expect(scene.runs()).toBe(2);
    expect(suppressed).toMatchObject([{ reason: 'maxAttempts' }, { reason: 'maxAttempts' }]);
    expect(scene.log.filter(({ type }) => type === 'retry')).toHaveLength(2);
  });

  it('is one for the methods that share a breaker, for retries and hedges alike', async () => {
    @Injectable()
    class Clients {
      calls = 0;

      @Retry({ maxAttempts: 2, backoff: fixed(0), budget: { min: 3, ratio: 0, perSecond: 0 } })
      @CircuitBreaker('upstream', { volumeThreshold: 1_000 })
      async failing(): Promise<void> {
        this.calls++;
        throw new Error('down');
      }

      @Hedge({ after: 10 })
      @CircuitBreaker('upstream')
      async hanging(): Promise<void> {
        this.calls++;
        await hang();
      }
    }
    const scene = await startApp([Clients]);
    const clients = scene.get(Clients);
    for (let one = 0; one < 2; one++) await clients.failing().catch(() => undefined);
    for (let one = 0; one < 3; one++) watch(clients.hanging());
    await pass(100);

    // Two retries and one hedge: then the three tokens are gone.
    expect(clients.calls).toBe(4 + 3 + 1);
    expect(scene.log.filter(({ type }) => type === 'retrySuppressed')).toMatchObject([
      { policy: 'retry', reason: 'maxAttempts', name: 'Clients.failing', attempts: 2 },
      { policy: 'retry', reason: 'maxAttempts' },
      { policy: 'hedge', reason: 'budget', name: 'Clients.hanging', attempts: 1 },
      { policy: 'hedge', reason: 'budget' },
    ]);
  });

  it('is one for a policy set, and has one definition', async () => {
    const policies = {
      down: { retry: { maxAttempts: 2, backoff: fixed(0), budget: { min: 4, ratio: 0, perSecond: 0 } } },
    };
    @Injectable()
    class Clients {
      calls = 0;
      @Resilient('down')
      async one(): Promise<void> {
        this.calls++;
        throw new Error('down');
      }
      @Retry('down')
      async other(): Promise<void> {
        this.calls++;
        throw new Error('down');
      }
    }
    const scene = await startApp([Clients], { policies });
    const clients = scene.get(Clients);
    for (let one = 0; one < 10; one++) {
      await clients.one().catch(() => undefined);
      await clients.other().catch(() => undefined);
    }
    expect(clients.calls).toBe(24);

    class Contrary {
      @Retry({ budget: { min: 5 } })
      @CircuitBreaker('upstream', {})
      async one(): Promise<void> {}
      @Retry({ budget: { min: 6 } })
      @CircuitBreaker('upstream')
      async other(): Promise<void> {}
    }
    await expect(startApp([Contrary])).rejects.toThrow(/Contrary\.other, @Retry: .*'upstream'.*Contrary\.one, @Retry/);
  });

  it('of a set without a name is its own, also in execute()', async () => {
    const scene = await startApp([]);
    const service = scene.get(ResilienceService);
    const set = (min: number) => ({
      retry: { maxAttempts: 2, backoff: fixed(0), budget: { min, ratio: 0, perSecond: 0 } },
    });
    let calls = 0;
    const work = () => (calls++, Promise.reject(new Error('down')));
    for (const one of [set(1), set(3)])
      for (let made = 0; made < 5; made++) await service.execute(one, work).catch(() => undefined);

    expect(calls).toBe(6 + 8);
  });
});

describe('a single flight in a pipeline', () => {
  it('shares the attempts, and leaves to each caller its own fallback', async () => {
    const scene = await guard(
      [Coalesce({ key: () => 'one' }), Retry({ maxAttempts: 2, backoff: fixed(10) }), Fallback((error) => ({ error }))],
      fail(),
    );
    const results = [watch(scene.call()), watch(scene.call())];
    await pass(100);

    expect(scene.runs()).toBe(2);
    const [one, other] = results.map(({ value }) => value as { error: Error });
    expect(one).not.toBe(other);
    expect(one?.error).toBe(other?.error);
    expect(scene.events.filter((event) => event === 'fallback fallback')).toHaveLength(2);
  });

  it('goes on for the others, when a caller leaves, and counts once', async () => {
    const work = new Deferred();
    const scene = await guard([Coalesce({ key: () => 'one' }), CircuitBreaker()], () => work.promise);
    const leaver = new AbortController();
    const [left, stayed] = [watch(scene.call(leaver.signal)), watch(scene.call())];
    await settle();
    leaver.abort('gone');
    await settle();
    expect(left.error).toBe('gone');
    work.resolve('value');
    await settle();

    expect(stayed.value).toBe('value');
    expect(scene.breaker().stats).toMatchObject({ fires: 1, successes: 1 });
  });

  it('ends with its last caller, which the breaker does not count', async () => {
    const scene = await guard([Coalesce({ key: () => 'one' }), CircuitBreaker()], hang);
    const leaver = new AbortController();
    const results = [watch(scene.call(leaver.signal)), watch(scene.call(leaver.signal))];
    await settle();
    leaver.abort('gone');
    await settle();

    expect(results.map(({ error }) => error)).toEqual(['gone', 'gone']);
    expect(scene.breaker().stats).toMatchObject({ fires: 1, successes: 0, failures: 0 });
  });

  it('times out for each caller on its own, and fails once all have', async () => {
    const scene = await guard(
      [Coalesce({ key: () => 'one' }), CircuitBreaker({ timeout: false }), Timeout({ total: 100 })],
      hang,
    );
    const first = watch(scene.call());
    await pass(60);
    const second = watch(scene.call());
    await pass(50);
    expect([first.settled, second.settled]).toEqual([true, false]);
    expect(scene.breaker().stats.failures).toBe(0);
    await pass(50);

    expect(second.error).toMatchObject({ code: 'TIMEOUT' });
    expect(scene.breaker().stats).toMatchObject({ fires: 1, failures: 1 });
  });

  it('shares nothing between the requests of a request-scoped provider, nor between methods of one set', async () => {
    let runs = 0;
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      @Coalesce({ key: () => 'me' })
      async profile(): Promise<number> {
        runs++;
        return hang();
      }
    }
    @Injectable()
    class Shared {
      @Resilient('flights')
      async one(): Promise<void> {
        runs++;
        await hang();
      }
      @Resilient('flights')
      async other(): Promise<void> {
        runs++;
        await hang();
      }
    }
    const scene = await startApp([PerRequest, Shared], { policies: { flights: { coalesce: { key: () => 'same' } } } });
    const resolve = () => scene.module.get(ModuleRef, { strict: false }).create(PerRequest);
    const [one, other] = [await resolve(), await resolve()];
    for (const instance of [one, one, other]) watch(instance.profile());
    await settle();
    expect(runs).toBe(2);
    runs = 0;
    const shared = scene.get(Shared);
    watch(shared.one());
    watch(shared.one());
    watch(shared.other());
    await settle();

    expect(runs).toBe(2);
  });

  it('runs a call inside itself alone, where the context of calls is known', async () => {
    @Injectable()
    class Recursive {
      depth = 0;
      @Coalesce({ key: () => 'same' })
      async walk(): Promise<number> {
        await Promise.resolve();
        return ++this.depth >= 3 ? this.depth : this.walk();
      }
    }
    const scene = await startApp([Recursive], { callContext: true });
    const result = watch(scene.get(Recursive).walk());
    await settle();

    expect(result.value).toBe(3);
    expect(currentCall()).toBeUndefined();
  });

  it('is refused in execute(), where each call brings work of its own', async () => {
    const key = (currency: string) => currency;
    const policies = { rates: { coalesce: { key }, circuitBreaker: {} }, off: { coalesce: false } } as const;
    const scene = await startApp([], { policies });
    const { resilience } = scene;
    const work = vi.fn(() => 'mine');
    const results = [
      ...[1, 2].map(() => watch(resilience.execute('rates', work, { args: ['EUR'] }))),
      watch(resilience.execute({ coalesce: { key } }, work)),
    ];
    await settle();

    expect(work).not.toHaveBeenCalled();
    for (const { error } of results) {
      expect(error).toBeInstanceOf(ResilienceConfigurationError);
      expect((error as Error).message).toMatch(/execute.*'coalesce' expects a method.*work of its own/);
    }
    expect(await resilience.execute('off', work)).toBe('mine');
    expect(() => resilience.circuitBreaker('rates')).toThrow("no circuit breaker 'rates'");
  });
});
