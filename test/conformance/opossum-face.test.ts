import { EventEmitter } from 'node:events';
import { Injectable, NotFoundException } from '@nestjs/common';
import {
  Breaker,
  Bulkhead,
  CircuitBreaker,
  CircuitOpenException,
  Fallback,
  RateLimit,
  Retry,
  type CircuitBreakerOptions,
} from 'nestjs-bulwark';
import OpossumBreaker from 'opossum';
import { firstValueFrom, of, throwError, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fail, guard, hang, pass, settle, startApp, watch } from '../composition/scene.js';
import { plainOpossum, quietly, type Work } from './support/plain-opossum.js';

// What opossum's users rely on beside calls and states: fallbacks, whose error it is, shutdown, snapshots.

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const OPTIONS = { timeout: 100, volumeThreshold: 2, resetTimeout: 1_000, resetJitter: 0 } as const;
const succeed: Work = () => Promise.resolve('done');

/** A breaker of each kind with the same options. */
function pair(options: CircuitBreakerOptions = {}) {
  const { resetJitter: _ours, ...theirs } = { ...OPTIONS, ...options };
  const opossum = plainOpossum(theirs as OpossumBreaker.Options<[Work]>);
  return { opossum, breaker: new Breaker('payments', { ...OPTIONS, ...options }) };
}

type Both = ReturnType<typeof pair>;

async function fireBoth({ opossum, breaker }: Both, work: Work, times = 1): Promise<unknown[]> {
  const ends: unknown[] = [];
  for (let time = 0; time < times; time++) {
    const calls = [watch(opossum.fire(work)), watch(breaker.fire(work))];
    await settle();
    ends.push(calls.map(({ value, error }) => value ?? error));
  }
  return ends;
}

/** The arguments with which `event` is told. */
function told(breaker: EventEmitter, event: string): unknown[][] {
  const all: unknown[][] = [];
  breaker.on(event, (...args: unknown[]) => void all.push(args));
  return all;
}

describe('fallback() of a breaker that is fired', () => {
  it('answers, is told and counted, when the action fails and when it is open', async () => {
    const both = pair();
    const heard = [told(both.opossum, 'fallback'), told(both.breaker, 'fallback')];
    both.opossum.fallback(() => 'substitute');
    both.breaker.fallback(() => 'substitute');

    const ends = await fireBoth(both, fail('no'), 3);

    expect(ends).toEqual(Array(3).fill(['substitute', 'substitute']));
    expect([both.opossum.opened, both.breaker.opened]).toEqual([true, true]);
    expect([both.opossum.stats.fallbacks, both.breaker.stats.fallbacks]).toEqual([3, 3]);
    expect(both.breaker.toJSON().status.fallbacks).toBe(3);
    expect(heard[1]).toHaveLength(3);
    expect(heard[1]?.slice(0, 2)).toEqual(heard[0]?.slice(0, 2));
    expect(heard[1]?.[2]).toEqual(['substitute', expect.any(CircuitOpenException)]);
  });

  it('answers and is counted, when the action takes too long', async () => {
    const { opossum, breaker } = pair();
    opossum.fallback(() => 'substitute');
    breaker.fallback(() => 'substitute');

    const calls = [watch(opossum.fire(hang)), watch(breaker.fire(hang))];
    await pass(100);

    expect(calls.map(({ value }) => value)).toEqual(['substitute', 'substitute']);
    expect([opossum, breaker].map(({ stats }) => [stats.timeouts, stats.fallbacks])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it('leaves alone what errorFilter takes out', async () => {
    const both = pair({ errorFilter: () => true });
    const answer = vi.fn();
    both.opossum.fallback(answer);
    both.breaker.fallback(answer);

    const ends = await fireBoth(both, fail('expected'));

    expect(ends).toEqual([[new Error('expected'), new Error('expected')]]);
    expect(answer).not.toHaveBeenCalled();
  });

  it('leaves alone what the dependency said no to, which is no failure', async () => {
    const { breaker } = pair();
    breaker.fallback(() => 'substitute');

    const call = breaker.fire(() => Promise.reject(new NotFoundException()));

    await expect(call).rejects.toBeInstanceOf(NotFoundException);
    expect(breaker.stats).toMatchObject({ successes: 1, fallbacks: 0 });
  });

  it('does not stand in, when the breaker is disabled', async () => {
    const both = pair();
    for (const one of [both.opossum, both.breaker]) one.disable();
    both.opossum.fallback(() => 'substitute');
    both.breaker.fallback(() => 'substitute');

    expect(await fireBoth(both, fail('no'))).toEqual([[new Error('no'), new Error('no')]]);
    expect([both.opossum.stats.fallbacks, both.breaker.stats.fallbacks]).toEqual([0, 0]);
  });

  it.each([
    ['throws', () => (): never => { throw new Error('worse'); }, 0], // prettier-ignore
    ['rejects', () => (): Promise<never> => Promise.reject(new Error('worse')), 1],
  ])('fails the call with its own error, when it %s', async (_, make, counted) => {
    const both = pair();
    both.opossum.fallback(make());
    both.breaker.fallback(make());

    expect(await fireBoth(both, fail('no'))).toEqual([[new Error('worse'), new Error('worse')]]);
    expect([both.opossum.stats.fallbacks, both.breaker.stats.fallbacks]).toEqual([counted, counted]);
  });

  it('may be a breaker of opossum, whose action gets the arguments and the error', async () => {
    const { breaker } = pair();
    const second = new OpossumBreaker(async (...args: unknown[]) => args);

    const answer = await breaker.fallback(second).fire((_one: number) => fail('no')(), 1);
    second.shutdown();

    expect(answer).toEqual([1, new Error('no')]);
  });

  it('may be nothing else', () => {
    const { breaker } = pair();

    expect(() => breaker.fallback(undefined as never)).toThrow(/^payments, fallback: expected a function/);
    expect(() => breaker.fallback(new Breaker('other') as never)).toThrow(/^payments, fallback: expected a function/);
  });
});

describe("a method's @Fallback", () => {
  it('is told and counted at its breaker, when it answers for a failure and for a refusal', async () => {
    const scene = await guard([CircuitBreaker(OPTIONS), Fallback({ value: 'substitute' })], fail('no'));
    const { breaker, stats } = scene.breaker();
    const heard = told(breaker, 'fallback');

    for (let time = 0; time < 3; time++) expect(await scene.call()).toBe('substitute');

    expect(stats.fallbacks).toBe(0);
    expect(breaker.stats).toMatchObject({ failures: 2, rejects: 1, fallbacks: 3 });
    expect(heard[0]).toEqual(['substitute', new Error('no')]);
    expect(heard[2]).toEqual(['substitute', expect.any(CircuitOpenException)]);
  });

  it('counts once for a call, whatever its attempts', async () => {
    const guards = [
      CircuitBreaker({ ...OPTIONS, volumeThreshold: 10 }),
      Retry({ maxAttempts: 3, backoff: () => 0 }),
      Fallback(() => 'substitute'),
    ];
    const scene = await guard(guards, fail('no'));

    expect(await scene.call()).toBe('substitute');

    expect(scene.breaker().stats).toMatchObject({ fires: 3, failures: 3, fallbacks: 1 });
  });

  it('counts for what a policy further in refuses', async () => {
    const guards = [CircuitBreaker({ timeout: false }), Bulkhead(1), Fallback({ value: 'substitute' })];
    const scene = await guard(guards, hang);

    void quietly(scene.call());
    expect(await scene.call()).toBe('substitute');

    expect(scene.breaker().stats).toMatchObject({ semaphoreRejections: 1, fallbacks: 1 });
  });

  it('counts nothing at a breaker that is disabled, and nothing for what it leaves alone', async () => {
    const scene = await guard([CircuitBreaker(OPTIONS), Fallback({ value: 'substitute' })], (run) =>
      run === 1 ? Promise.reject(new NotFoundException()) : Promise.reject(new Error('no')),
    );
    const handle = scene.breaker();

    await quietly(scene.call());
    expect(handle.stats.fallbacks).toBe(0);
    handle.disable();
    expect(await scene.call()).toBe('substitute');

    expect(handle.stats.fallbacks).toBe(0);
  });

  it('counts at the breaker of its key', async () => {
    const guards = [
      CircuitBreaker({ ...OPTIONS, key: (id: unknown) => String(id) }),
      Fallback({ value: 'substitute' }),
    ];
    const scene = await guard(guards, fail('no'));
    const call = scene.call as (...args: unknown[]) => Promise<unknown>;

    await call('one');
    await call('other');
    await call('other');

    const fallbacksOf = (key: string) => scene.resilience.circuitBreaker('Service.call', key).stats.fallbacks;
    expect([fallbacksOf('one'), fallbacksOf('other')]).toEqual([1, 2]);
  });

  it('hurts nobody by a listener that throws', async () => {
    const scene = await guard([CircuitBreaker(OPTIONS), Fallback({ value: 'substitute' })], fail('no'));
    scene.breaker().breaker.on('fallback', () => {
      throw new Error('a listener');
    });

    expect(await scene.call()).toBe('substitute');
  });

  it('is forgotten with its window', async () => {
    const scene = await guard([CircuitBreaker(OPTIONS), Fallback({ value: 'substitute' })], fail('no'));
    await scene.call();
    await pass(5_000);
    await scene.call();
    expect(scene.breaker().stats.fallbacks).toBe(2);

    await pass(5_500);
    expect(scene.breaker().stats.fallbacks).toBe(1);
    scene.breaker().reset();

    expect(scene.breaker().stats.fallbacks).toBe(0);
  });
});

describe('isOurError', () => {
  const errorOf = (call: Promise<unknown>): Promise<unknown> => call.then(undefined, (error: unknown) => error);

  it('says yes to what a policy made, when asked of opossum and of Breaker', async () => {
    const open = await guard([CircuitBreaker({ ...OPTIONS, volumeThreshold: 1 })], fail('no'));
    await quietly(open.call());
    const limited = await guard([CircuitBreaker(OPTIONS), RateLimit({ limit: 1, per: 1_000 })], succeed);
    await limited.call();
    const full = await guard([CircuitBreaker({ timeout: false }), Bulkhead(1)], hang);
    void quietly(full.call());
    const slow = await guard([CircuitBreaker(OPTIONS)], hang);
    const cut = errorOf(slow.call());
    await pass(100);
    const ended = new Breaker('ended');
    ended.shutdown();

    const errors = [
      await errorOf(open.call()),
      await errorOf(limited.call()),
      await errorOf(full.call()),
      await cut,
      await errorOf(ended.fire(succeed)),
    ];

    expect(errors.map((error) => (error as { code?: string }).code)).toEqual([
      'CIRCUIT_OPEN',
      'RATE_LIMITED',
      'BULKHEAD_FULL',
      'TIMEOUT',
      'SHUTDOWN',
    ]);
    expect(errors.map((error) => OpossumBreaker.isOurError(error as Error))).toEqual(Array(5).fill(true));
    expect(errors.map((error) => Breaker.isOurError(error))).toEqual(Array(5).fill(true));
  });

  it('says no to what the action threw, whatever that is', () => {
    for (const error of [new Error('no'), new NotFoundException()])
      expect([OpossumBreaker.isOurError(error), Breaker.isOurError(error)]).toEqual([false, false]);
    for (const error of [undefined, null, 'no', {}]) expect(Breaker.isOurError(error)).toBe(false);
  });

  it("says yes to opossum's own", async () => {
    const { opossum } = pair();
    opossum.open();

    expect(Breaker.isOurError(await errorOf(opossum.fire(succeed)))).toBe(true);
  });

  it('puts nothing on an error that can be seen', async () => {
    const { breaker } = pair();
    breaker.open();
    const error = (await errorOf(breaker.fire(succeed))) as Error;

    expect(Object.getOwnPropertySymbols(error)).toEqual([]);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      statusCode: 503,
      message: 'Service Unavailable',
      errorCode: 'CIRCUIT_OPEN',
    });
  });
});

describe('shutdown()', () => {
  const face = ({ closed, opened, halfOpen, enabled, isShutdown }: Both['opossum'] | Both['breaker']) => ({
    closed,
    opened,
    halfOpen,
    enabled,
    isShutdown,
  });

  it.each(['closed', 'open', 'halfOpen', 'disabled'] as const)(
    'leaves the getters as opossum does, when %s',
    async (state) => {
      const both = pair();
      const { opossum, breaker } = both;
      if (state === 'open' || state === 'halfOpen') await fireBoth(both, fail(), 2);
      if (state === 'halfOpen') await pass(1_000);
      if (state === 'disabled') for (const one of [opossum, breaker]) one.disable();
      expect(breaker.state).toBe(state);

      for (const one of [opossum, breaker]) one.shutdown();

      expect(face(breaker)).toEqual(face(opossum));
      const { lastTimerAt: _theirs, name: _name, ...theirs } = opossum.toJSON().state;
      expect(breaker.toJSON().state).toMatchObject({ ...theirs, shutdown: true });
      // Our own word for the state is what it was.
      expect(breaker.state).toBe(state);
      await pass(100_000);
      expect(breaker.state).toBe(state);
    },
  );

  it('is told by its own event alone, once', async () => {
    const scene = await guard([CircuitBreaker(OPTIONS)], succeed);
    const { breaker } = scene.breaker();
    const heard: string[] = [];
    for (const event of ['open', 'close', 'halfOpen', 'shutdown']) breaker.on(event, () => heard.push(event));

    breaker.shutdown();
    breaker.shutdown();

    expect(heard).toEqual(['shutdown']);
    expect(scene.log).toEqual([]);
    expect(breaker.listenerCount('shutdown')).toBe(0);
  });

  it('refuses every call of its method with SHUTDOWN, without a try', async () => {
    const work = vi.fn(() => Promise.resolve());
    const scene = await guard([CircuitBreaker(OPTIONS)], work);

    scene.breaker().breaker.shutdown();

    await expect(scene.call()).rejects.toMatchObject({ code: 'SHUTDOWN', instanceName: 'Service.call' });
    expect(work).not.toHaveBeenCalled();
  });

  it('refuses under metricsOnly, too', async () => {
    const scene = await guard([CircuitBreaker({ ...OPTIONS, mode: 'metricsOnly' })], succeed);

    scene.breaker().breaker.shutdown();

    await expect(scene.call()).rejects.toMatchObject({ code: 'SHUTDOWN' });
  });

  it('is for ever: nothing that is ordered, restored or fired brings it back', async () => {
    const { breaker } = pair();
    const snapshot = breaker.snapshot();

    breaker.shutdown();
    for (const order of ['open', 'close', 'reset', 'enable', 'forceClose', 'forceOpen', 'disable', 'enable'] as const)
      breaker[order]();
    breaker.restore(snapshot);

    expect([breaker.isShutdown, breaker.state, breaker.enabled]).toEqual([true, 'closed', false]);
    await expect(breaker.fire(succeed)).rejects.toMatchObject({ code: 'SHUTDOWN' });
  });

  it('asks no fallback of the breaker, as opossum does not', async () => {
    const both = pair();
    both.opossum.fallback(() => 'substitute');
    both.breaker.fallback(() => 'substitute');

    for (const one of [both.opossum, both.breaker]) one.shutdown();
    const [[theirs, ours]] = (await fireBoth(both, succeed)) as [[Error, Error]];

    expect([theirs, ours]).toEqual([expect.any(Error), expect.any(Error)]);
    expect([OpossumBreaker.isOurError(theirs), OpossumBreaker.isOurError(ours)]).toEqual([true, true]);
  });

  it('lets what runs go on, and does not count it', async () => {
    const { breaker } = pair();
    let end = (_value: string): void => {};
    const running = breaker.fire(() => new Promise<string>((resolve) => (end = resolve)));

    breaker.shutdown();
    end('done');

    expect(await running).toBe('done');
    expect(breaker.stats).toMatchObject({ fires: 1, successes: 0 });
  });

  it('ends the calls that wait under it', async () => {
    const scene = await guard([CircuitBreaker({ timeout: false }), Bulkhead({ maxConcurrent: 1, maxQueue: 1 })], hang);
    void quietly(scene.call());
    const waiting = watch(scene.call());
    await settle();

    scene.breaker().breaker.shutdown();
    await settle();

    expect(waiting.error).toMatchObject({ code: 'SHUTDOWN' });
  });
});

describe('status', () => {
  it('tells of snapshots once a bucket, while somebody listens', async () => {
    const both = pair({ rollingCountTimeout: 2_000, rollingCountBuckets: 4 });
    const { opossum, breaker } = both;
    const heard = [told(opossum.status, 'snapshot'), told(breaker.status, 'snapshot')];
    await fireBoth(both, succeed, 3);

    await pass(1_600);
    const counts = heard.map((all) => all.map(([stats]) => (stats as { fires: number }).fires));
    expect(counts[1]).toEqual(counts[0]);
    expect(counts[1]).toEqual([3, 3, 3]);
    for (const { status } of [opossum, breaker]) status.removeAllListeners('snapshot');
    await pass(1_600);

    expect(heard.map(({ length }) => length)).toEqual([3, 3]);
    opossum.shutdown();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['on', 'once', 'addListener', 'prependListener', 'prependOnceListener'] as const)(
    'begins with a listener that comes by %s()',
    async (add) => {
      const { breaker } = pair();
      const listener = vi.fn();

      breaker.status[add]('snapshot', listener);
      await pass(1_500);

      expect(listener).toHaveBeenCalledExactlyOnceWith(breaker.stats);
      breaker.shutdown();
    },
  );

  it('ends with the breaker, and with the app', async () => {
    const { breaker, opossum } = pair();
    const scene = await guard([CircuitBreaker(OPTIONS)], succeed);
    opossum.shutdown();
    const heard = [told(breaker.status, 'snapshot'), told(scene.breaker().breaker.status, 'snapshot')];
    await pass(1_000);

    breaker.shutdown();
    await scene.module.close();
    await pass(5_000);

    expect(heard.map(({ length }) => length)).toEqual([1, 1]);
    told(breaker.status, 'snapshot');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('survives a listener that throws', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { breaker } = pair();
    breaker.status.on('snapshot', () => {
      throw new Error('a listener');
    });
    const heard = told(breaker.status, 'snapshot');

    await pass(3_000);
    breaker.shutdown();

    expect(heard).toHaveLength(3);
    expect(log.mock.calls).toEqual([
      [expect.stringContaining("payments, a listener of 'snapshot' failed: Error: a listener")],
    ]);
    log.mockRestore();
  });

  it('has a window of buckets, the newest first, that add up', async () => {
    const both = pair({ rollingCountTimeout: 3_000, rollingCountBuckets: 3, volumeThreshold: 100 });
    await fireBoth(both, succeed, 2);
    await pass(1_000);
    await fireBoth(both, fail(), 3);
    both.breaker.fallback(() => 'substitute');
    both.opossum.fallback(() => 'substitute');
    await pass(1_000);
    await fireBoth(both, fail());

    const { window } = both.breaker.status;
    const theirs = both.opossum.status.window;
    expect(window.map((bucket) => ({ ...bucket, latencyTimes: [] }))).toEqual(
      [...theirs].map((bucket) => ({ ...bucket, latencyTimes: [] })),
    );
    expect(window.map(({ fires }) => fires)).toEqual([1, 3, 2]);
    expect(window.map(({ fallbacks }) => fallbacks)).toEqual([1, 0, 0]);
    await pass(1_000);
    expect(both.breaker.status.window.map(({ fires }) => fires)).toEqual([0, 1, 3]);
  });
});

it('has no cache, no shared signal and no newStatus, and says so', () => {
  const { breaker } = pair();

  expect(() => breaker.clearCache()).not.toThrow();
  expect([breaker.getSignal(), breaker.getAbortController()]).toEqual([undefined, undefined]);
  expect(() => Breaker.newStatus()).toThrow(/snapshot\(\) and restore\(\)/);
});

it('is the breaker of a stream, too: its @Fallback counts', async () => {
  @Injectable()
  class Service {
    @CircuitBreaker(OPTIONS)
    @Fallback(() => of('substitute'))
    call(): Observable<string> {
      return throwError(() => new Error('no'));
    }
  }
  const scene = await startApp([Service]);

  expect(await firstValueFrom(scene.get(Service).call())).toBe('substitute');

  expect(scene.breaker().stats).toMatchObject({ failures: 1, fallbacks: 1 });
});
