import { Injectable } from '@nestjs/common';
import { Bulkhead, CircuitBreaker } from 'nestjs-bulwark';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { Deferred, fail, guard, hang, pass, settle, startApp, watch } from '../composition/scene.js';
import { plainOpossum, quietly, type Work } from './support/plain-opossum.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const succeed: Work = () => Promise.resolve('done');

/** A guarded method that does whatever is asked of it. */
async function guarded(...decorators: Parameters<typeof guard>[0]) {
  let work: Work = succeed;
  const scene = await guard(decorators, () => work());
  return {
    breaker: scene.breaker(),
    runs: scene.runs,
    log: scene.log,
    fire: (next: Work): Promise<unknown> => {
      work = next;
      return scene.call();
    },
  };
}

/** Fires the same works at both breakers. */
function both(...breakers: { fire(work: Work): Promise<unknown> }[]) {
  return async (times: number, work: Work): Promise<void> => {
    for (let time = 0; time < times; time++) for (const breaker of breakers) await quietly(breaker.fire(work));
  };
}

it.each([
  { end: 'succeeds', stateOfTheirs: 'closed', finish: (work: Deferred) => work.resolve('late') },
  { end: 'fails', stateOfTheirs: 'opened', finish: (work: Deferred) => work.reject(new Error('late')) },
] as const)(
  'trap 4: a half-open breaker stays half-open, when a call that began before the trip $end',
  async ({ stateOfTheirs, finish }) => {
    const theirs = plainOpossum({ timeout: false, resetTimeout: 1_000 });
    const ours = await guarded(
      CircuitBreaker({ timeout: false, volumeThreshold: 2, resetTimeout: 1_000, resetJitter: 0 }),
    );
    const slow = { theirs: new Deferred(), ours: new Deferred() };
    void quietly(theirs.fire(() => slow.theirs.promise));
    void quietly(ours.fire(() => slow.ours.promise));
    await both(theirs, ours)(2, fail());
    await pass(1_000);
    const before = [theirs.halfOpen, ours.breaker.state];

    finish(slow.theirs);
    finish(slow.ours);
    await settle();

    expect(before).toEqual([true, 'halfOpen']);
    expect(theirs[stateOfTheirs]).toBe(true);
    expect(ours.breaker.state).toBe('halfOpen');
  },
);

it('trap 5: a half-open breaker stays half-open and gives the permit back, when errorFilter names the error of its probe', async () => {
  const errorFilter = (error: Error): boolean => error.message === 'expected';
  const theirs = plainOpossum({ timeout: false, resetTimeout: 1_000, errorFilter });
  const ours = await guarded(
    CircuitBreaker({ timeout: false, volumeThreshold: 2, resetTimeout: 1_000, resetJitter: 0, errorFilter }),
  );
  const fireBoth = both(theirs, ours);
  await fireBoth(2, fail());
  await pass(1_000);

  await fireBoth(1, fail('expected'));

  expect(theirs.closed).toBe(true);
  expect(ours.breaker.state).toBe('halfOpen');
  await expect(ours.fire(succeed)).resolves.toBe('done');
  expect(ours.breaker.state).toBe('closed');
});

it('trap 6: a breaker opens, when its limit is 100 % and every call fails', async () => {
  const theirs = plainOpossum({ timeout: false, errorThresholdPercentage: 100 });
  const ours = await guarded(CircuitBreaker({ timeout: false, errorThresholdPercentage: 100 }));

  await both(theirs, ours)(20, fail());

  expect(theirs.closed).toBe(true);
  expect(theirs.stats).toMatchObject({ fires: 20, failures: 20 });
  expect(ours.breaker.state).toBe('open');
});

it('trap 7: the rate is that of the calls made, when many more were answered from a cache or are none of its business', async () => {
  const errorFilter = (error: Error): boolean => error.message === 'expected';
  const options = { timeout: false, volumeThreshold: 10, errorFilter } as const;
  const caching = plainOpossum({ ...options, cache: true, cacheGetKey: (work) => String(cacheKeys.get(work)) });
  const cacheKeys = new Map([[succeed, 'the same']]);
  const theirs = plainOpossum(options);
  const ours = await guarded(CircuitBreaker(options));

  await both(caching)(10, succeed);
  await both(theirs, ours)(1, succeed);
  await both(theirs, ours)(9, fail('expected'));
  for (let time = 0; time < 9; time++) {
    const work = fail();
    cacheKeys.set(work, `different ${time}`);
    await both(caching, theirs, ours)(1, work);
  }

  expect(caching.stats).toMatchObject({ cacheHits: 9, failures: 9 });
  expect([caching.closed, theirs.closed]).toEqual([true, true]);
  expect(ours.breaker.state).toBe('open');
});

it('trap 7: the rate is that of the calls made, when the breaker has refused many before it closed', async () => {
  const options = { timeout: false, volumeThreshold: 2, resetTimeout: 1_000 } as const;
  const theirs = plainOpossum(options);
  const ours = await guarded(CircuitBreaker({ ...options, resetJitter: 0 }));
  const fireBoth = both(theirs, ours);
  await fireBoth(2, fail());
  await fireBoth(30, succeed);
  await pass(1_000);
  await fireBoth(1, succeed);
  const before = [theirs.closed, ours.breaker.state];

  await fireBoth(10, fail());

  expect(before).toEqual([true, 'closed']);
  expect(theirs.closed).toBe(true);
  expect(ours.breaker.state).toBe('open');
});

it('trap 8: a breaker stays closed, when calls are refused for want of capacity', async () => {
  const theirs = plainOpossum({ timeout: false, volumeThreshold: 5, capacity: 1 });
  const ours = await guarded(Bulkhead(1), CircuitBreaker({ timeout: false, volumeThreshold: 5 }));
  for (const breaker of [theirs, ours]) watch(breaker.fire(hang));

  await both(theirs, ours)(9, succeed);

  expect(theirs.opened).toBe(true);
  expect(theirs.stats.semaphoreRejections).toBeGreaterThan(0);
  expect(ours.breaker.state).toBe('closed');
  expect(ours.breaker.stats).toMatchObject({ failures: 0, semaphoreRejections: 9 });
});

it('trap 12: a method that gives undefined at once has succeeded, when it is no async one', async () => {
  const nothing: Work = () => undefined;
  @Injectable()
  class Client {
    @CircuitBreaker({ timeout: false })
    call(): Promise<void> {
      return nothing() as Promise<void>;
    }
  }
  const theirs = plainOpossum({ timeout: false });
  const scene = await startApp([Client]);
  const { breaker } = scene.breaker('Client.call');

  const theirCall = watch(theirs.fire(nothing));
  const ourCalls = [watch(scene.get(Client).call()), watch(breaker.fire(nothing))];
  await settle();

  expect(theirCall.error).toBeInstanceOf(TypeError);
  expect(theirs.stats.failures).toBe(1);
  expect(ourCalls).toMatchObject([
    { settled: true, value: undefined, error: undefined },
    { settled: true, value: undefined, error: undefined },
  ]);
  expect(breaker.stats).toMatchObject({ successes: 2, failures: 0 });
});

it('trap 13: a call ends with its own error and counts as failed, when errorFilter throws', async () => {
  const unhandled = catchUnhandledRejections();
  const errorFilter = (): boolean => {
    throw new Error('a mistake in errorFilter');
  };
  const theirs = plainOpossum({ timeout: false, errorFilter });
  const ours = await guarded(CircuitBreaker({ timeout: false, errorFilter }));

  const theirCall = watch(theirs.fire(fail()));
  const ourCall = watch(ours.fire(fail()));
  await pass(3_600_000);

  expect(theirCall.settled).toBe(false);
  expect(ourCall.error).toEqual(new Error('down'));
  expect(ours.log.map(({ type }) => type)).toEqual(['failure']);
  await vi.waitFor(() => expect(unhandled).toEqual([new Error('a mistake in errorFilter')]), 30_000);
});

/** What nobody caught; vitest would fail for it. */
function catchUnhandledRejections(): unknown[] {
  const unhandled: unknown[] = [];
  const listeners = process.listeners('unhandledRejection');
  const take = (error: unknown): void => void unhandled.push(error);
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', take);
  onTestFinished(() => {
    process.off('unhandledRejection', take);
    for (const listener of listeners) process.on('unhandledRejection', listener);
  });
  return unhandled;
}
