import { describe, expect, it } from 'vitest';
import type { RateLimitExceededException } from '../../../../../lib/errors/rate-limit-exceeded.exception.js';
import { ShutdownException } from '../../../../../lib/errors/shutdown.exception.js';
import type { Attempt } from '../../../../../lib/kernel/attempt.js';
import type { RateLimitOptions } from '../../../../../lib/policies/rate-limit/rate-limit.options.js';
import { limit } from '../../../../support/calls.js';
import { settle } from '../../../../support/settle.js';
import { TestEnvironment } from '../../../../support/test-environment.js';
import { RateLimitScene } from '../rate-limit.scene.js';
import { FakeStore } from './fake-store.js';

/** 10/s, where calls wait for their turn: a unit takes 100 ms. */
function setUp(options: RateLimitOptions = {}) {
  const environment = new TestEnvironment();
  const store = new FakeStore();
  environment.rateStore = store;
  const all = { limit: 10, per: 1_000, onLimit: 'queue', scope: 'cluster', ...options } as const;
  const scene = new RateLimitScene(all, environment);
  const statuses = () => scene.results.map(({ status }) => status);
  const retryAfter = (index: number) => (scene.results[index]?.outcome as RateLimitExceededException).retryAfterMs;
  return { scene, store, environment, clock: scene.clock, statuses, retryAfter };
}

const byCost = { cost: (units: number) => units };
const probe = (call: Attempt): void => void (call.rarely().probe = true);

describe('a call that waits for the cluster', () => {
  it('is passed by nobody, also where enough is left for a cheaper one', async () => {
    const { scene, store } = setUp({ ...byCost, burst: 5 });
    scene.call([3]);
    await store.grant(2, 0);

    scene.call([1]);
    await settle();
    expect(scene.begun).toEqual([]);
    await scene.clock.advance(300);
    await store.grant();
    expect(scene.begun.map(({ args }) => args[0])).toEqual([3]);
    await scene.clock.advance(100);
    if (store.open > 0) await store.grant();

    expect(scene.begun.map(({ args }) => args[0])).toEqual([3, 1]);
  });

  it('is told when its turn comes too late, by what it can wait itself', async () => {
    const { scene, store, statuses, retryAfter, clock } = setUp();
    scene.call();
    await store.grant(0, 0);
    const within = (ms: number) => scene.call([], (call) => limit(call, clock.now() + ms));

    within(199);
    within(200);
    await settle();

    expect(statuses()).toEqual(['pending', 'rejected', 'pending']);
    expect(retryAfter(1)).toBe(200);
  });

  it('may wait to the end of its time, and is told when others were faster', async () => {
    const { scene, store, statuses, clock } = setUp({ maxWait: 200 });
    scene.call();
    await store.grant(0, 0);
    await clock.advance(100);
    await store.grant(0, 0);
    expect(statuses()).toEqual(['pending']);
    await clock.advance(100);

    await store.grant(0, 0);

    expect(scene.results[0]?.outcome).toMatchObject({
      retryAfterMs: 100,
      details: { waitMs: 300 },
      explanation: expect.stringContaining('waits at most 200 ms, and its turn would come 300 ms after it came'),
    });
  });

  it('is woken when its answer is due, then at its turn, and keeps the process alive', async () => {
    const { scene, store, clock } = setUp();
    scene.call();
    expect([clock.nextTimerIn, clock.pending, clock.keepingAlive]).toEqual([50, 1, 1]);

    await store.grant(0, 30);

    expect([clock.nextTimerIn, clock.pending, clock.keepingAlive]).toEqual([70, 1, 1]);
  });

  it('asks nobody before there can be something, also where those before it have left', async () => {
    const { scene, store, clock } = setUp();
    const calls: Attempt[] = [];
    scene.call([], (call) => void calls.push(call));
    await store.grant(0, 0);
    calls[0]?.abort('gone');
    await settle();
    expect(clock.pending).toBe(0);

    scene.call();
    await settle();
    expect([store.requests.length, clock.nextTimerIn]).toEqual([1, 100]);
    await clock.advance(100);

    expect(store.requests).toHaveLength(2);
  });

  it('begins no wait when the app shuts down', async () => {
    const { scene, environment, store } = setUp();
    environment.lifecycle.close();

    expect(await scene.attempt()).toBeInstanceOf(ShutdownException);
    expect(store.requests).toEqual([]);
  });

  it('is told when there is something for a part of a unit', async () => {
    const { scene, store, retryAfter } = setUp({ ...byCost, onLimit: 'reject' });
    scene.call([0.5]);

    await store.grant(0, 0);

    expect(retryAfter(0)).toBe(100);
    expect(store.requests).toHaveLength(1);
  });

  it('lets what it wants gather, where less was there', async () => {
    const { scene, store, retryAfter } = setUp({ limit: 500, onLimit: 'reject' });
    scene.call();
    await settle();
    scene.burst(9);
    await store.grant();
    expect(store.last).toMatchObject({ least: 1, want: 9 });

    await store.grant(2, 0);

    // Nine units of 2 ms.
    expect(retryAfter(3)).toBe(18);
  });

  it('asks for no more of a slow limit than those need who wait', async () => {
    const { scene, store, clock } = setUp({ limit: 1_000, per: 60_000, onLimit: 'reject' });
    scene.call();
    await settle();
    scene.burst(5);
    await store.grant();
    await store.grant();
    await clock.advance(60);

    scene.call();

    expect(store.last).toMatchObject({ least: 1, want: 1 });
  });
});

describe('a timer of those who wait for the cluster', () => {
  const blocked = async (ms: number) => {
    const all = setUp({ limit: 1_000, onLimit: 'reject' });
    all.scene.call();
    await settle();
    all.clock.block(ms);
    all.clock.fireDueTimers();
    await settle();
    return all;
  };

  it.each([50, 55])('judges at once what is in time, after %d ms', async (ms) => {
    const { scene } = await blocked(ms);

    expect(scene.begun).toHaveLength(1);
  });

  it('lets the event loop poll first where it is late', async () => {
    const { scene, clock } = await blocked(56);
    expect(scene.begun).toHaveLength(0);
    clock.turn();
    await settle();
    expect(scene.begun).toHaveLength(0);
    clock.turn();
    await settle();

    expect(scene.begun).toHaveLength(1);
  });
});

describe('while the store of the cluster is away', () => {
  const away = (options: RateLimitOptions, processes = 4) => {
    const all = setUp(options);
    all.store.up = false;
    all.store.processes = processes;
    return all;
  };

  it('nobody asks it, and who waits is woken at the turn that this process gives', async () => {
    const { scene, store, clock, statuses } = away({});
    scene.burst(2);
    await settle();

    expect(statuses()).toEqual(['fulfilled', 'pending']);
    expect([store.requests.length, clock.nextTimerIn, clock.pending]).toEqual([0, 400, 1]);
  });

  it('who comes is counted behind those who wait', async () => {
    const { scene, statuses, retryAfter } = away({ burst: 4, maxWait: 150 }, 1);

    scene.burst(6);
    await settle();

    expect(statuses()).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'pending', 'rejected']);
    expect(retryAfter(5)).toBe(50);
  });

  it('a probe of a half-open breaker does not wait, others do', async () => {
    const { scene, statuses } = away({});
    scene.call();

    scene.call([], probe);
    scene.call([], (call) => void call.rarely());
    await settle();

    expect(statuses()).toEqual(['fulfilled', 'rejected', 'pending']);
    expect((scene.results[1]?.outcome as RateLimitExceededException).explanation).toContain('does not wait');
  });

  it('all begin with open, however much was used', async () => {
    const { scene } = away({ onStoreError: 'open', onLimit: 'reject' });

    expect(await scene.admitted(50)).toBe(50);
  });

  it('is told of those whose turn by this process comes too late', async () => {
    const { scene, store, statuses } = setUp({ maxWait: 100 });
    scene.burst(2);
    await settle();

    await store.fail();

    // A unit takes 400 ms between four processes.
    expect(statuses()).toEqual(['fulfilled', 'rejected']);
  });

  it('is asked again after a question that failed, when it is back', async () => {
    const { scene, store } = setUp({ limit: 1_000, onLimit: 'reject' });
    scene.call();
    await settle();
    await store.fail();
    expect(scene.begun).toHaveLength(1);

    scene.call();
    await store.grant();

    expect([store.requests.length, scene.begun.length]).toEqual([2, 2]);
  });
});

describe('a limit of a cluster that only counts', () => {
  it('leaves no timer behind when the app is gone', async () => {
    const { scene, environment, clock } = setUp({ mode: 'metricsOnly' });
    environment.lifecycle.dispose();

    scene.burst(2);
    await settle();

    expect([scene.begun.length, clock.pending]).toEqual([2, 0]);
  });
});
