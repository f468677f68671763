import { describe, expect, it } from 'vitest';
import { RateLimitExceededException } from '../../../../lib/errors/rate-limit-exceeded.exception.js';
import { ShutdownException } from '../../../../lib/errors/shutdown.exception.js';
import type { Attempt } from '../../../../lib/kernel/attempt.js';
import { resolveRateLimit } from '../../../../lib/policies/rate-limit/rate-limit.options.js';
import { limit } from '../../../support/calls.js';
import { settle } from '../../../support/settle.js';
import { RateLimitScene } from './rate-limit.scene.js';
import { FakeStore } from './cluster/fake-store.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const QUEUE = { limit: 10, per: 1_000, onLimit: 'queue' } as const;
const KEYED = { key: (key: string) => key } as const;

const probe = (call: Attempt): void => void (call.rarely().probe = true);

describe('what a limiter says of itself', () => {
  it('is how many calls may begin', async () => {
    const scene = new RateLimitScene({ limit: 4, per: 1_000 });
    const available = () => scene.limiter.availableAt(scene.clock.now());
    expect(available()).toBe(4);

    await scene.admitted(3);
    expect(available()).toBe(1);
    await scene.clock.advance(500);

    expect(available()).toBe(3);
  });

  it('is no such number where each key has its own, or other processes have a say', () => {
    const environment = new TestEnvironment();
    environment.rateStore = new FakeStore();

    expect(new RateLimitScene(KEYED).limiter.availableAt(0)).toBeUndefined();
    expect(new RateLimitScene({ scope: 'cluster' }, environment).limiter.availableAt(0)).toBeUndefined();
  });

  it('is how many wait, here and for the cluster', async () => {
    const environment = new TestEnvironment();
    environment.rateStore = new FakeStore();
    const cluster = new RateLimitScene({ ...QUEUE, scope: 'cluster' }, environment);
    const alone = new RateLimitScene(QUEUE);

    cluster.burst(3);
    alone.burst(3);
    await settle();

    expect([cluster.limiter.waiting, alone.limiter.waiting]).toEqual([3, 2]);
  });

  it('is the options in force, and how many keys it tells apart', async () => {
    const scene = new RateLimitScene({ ...KEYED, limit: 7 });
    await scene.attempt(['a']);

    expect(scene.limiter.keys).toBe(1);
    expect(scene.limiter.options).toMatchObject({ limit: 7, per: 1_000 });
    expect(new RateLimitScene().limiter.keys).toBe(0);
    const other = resolveRateLimit('test', { limit: 8, per: 1_000, onLimit: 'reject', ...KEYED });
    scene.limiter.reconfigure(other);
    expect(scene.limiter.options).toBe(other);
  });
});

describe("the user's functions", () => {
  it('may cut the call, which then takes nothing', async () => {
    let running: Attempt | undefined;
    const scene = new RateLimitScene({
      limit: 1,
      key: (key: string) => {
        if (key === 'cuts') running?.abort('cut meanwhile');
        return 'same';
      },
    });

    const cut = scene.call(['cuts'], (call) => (running = call));
    await settle();

    expect(cut).toEqual({ status: 'rejected', outcome: 'cut meanwhile' });
    expect(await scene.attempt(['stays'])).toBe('begun');
  });
});

describe('a call whose method was called already', () => {
  it('is never refused, and never waits: it is only counted', async () => {
    const scene = new RateLimitScene({ limit: 1 });
    const begun = (call: Attempt): void => void (call.rarely().underway = true);
    scene.call([], begun);
    scene.call([], begun);
    await settle();

    expect(scene.begun).toHaveLength(2);
    expect(scene.environment.of('refused')).toMatchObject([{ metricsOnly: true }]);
    expect(await scene.attempt()).toBeInstanceOf(RateLimitExceededException);
  });
});

describe('a call that would wait and cannot', () => {
  it('is told when its turn would have come, and how long it could have waited', async () => {
    const scene = new RateLimitScene({ ...QUEUE, maxWait: 1_000 });
    scene.burst(4);

    const late = scene.call([], (call) => limit(call, scene.clock.now() + 150.5));
    await settle();

    expect(late.outcome).toMatchObject({
      // A new call could wait as long as that.
      retryAfterMs: 400,
      details: { waitMs: 400 },
      explanation: expect.stringContaining('waits at most 150 ms, and its turn would come 400 ms after it came'),
    });
  });

  it('is told of no time below zero', async () => {
    const scene = new RateLimitScene(QUEUE);
    scene.burst(2);

    const late = scene.call([], (call) => limit(call, scene.clock.now() - 30));
    await settle();

    expect((late.outcome as RateLimitExceededException).explanation).toContain('waits at most 0 ms');
  });

  it('is told of a shutdown, with its place', async () => {
    const scene = new RateLimitScene(QUEUE);
    scene.burst(1);
    scene.environment.lifecycle.close();

    const late = await scene.attempt();

    expect(late).toBeInstanceOf(ShutdownException);
    expect(late).toMatchObject({
      policy: 'rateLimit',
      instanceName: 'search',
      explanation: 'search was waiting for its rate limit: the app is shutting down',
    });
  });

  it('may wait to the very moment that its time is over, however the sums are rounded', async () => {
    const scene = new RateLimitScene({ ...QUEUE, limit: 3, per: 1, maxWait: 1 });

    scene.burst(5);
    await settle();

    expect(scene.results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'pending',
      'pending',
      'pending',
      'rejected',
    ]);
  });
});

describe("a queue with mode: 'metricsOnly'", () => {
  it('takes a turn for what would have waited, and none for what would have been refused', async () => {
    const scene = new RateLimitScene({ ...QUEUE, maxWait: 100, mode: 'metricsOnly' });
    await scene.admitted(6);
    expect(scene.environment.of('refused')).toHaveLength(4);

    await scene.clock.advance(100);
    await scene.admitted(2);

    // The first of the two takes the turn that follows on that of the two that began.
    expect(scene.environment.of('refused').map(({ details }) => details?.waitMs)).toEqual([200, 200, 200, 200, 200]);
  });

  it('counts the limit of an attempt, and the time that the call has left', async () => {
    const scene = new RateLimitScene({ ...QUEUE, mode: 'metricsOnly' });
    await scene.admitted(2);

    scene.call([], undefined, 199);
    scene.call([], (call) => limit(call, scene.clock.now() + 199));
    scene.call([], (call) => limit(call, scene.clock.now() + 200), 200);
    await settle();

    expect(scene.begun).toHaveLength(5);
    expect(scene.environment.of('refused').map(({ retryAfterMs }) => retryAfterMs)).toEqual([1, 200]);
    scene.call([], undefined, 299);
    await settle();
    expect(scene.environment.of('refused')).toHaveLength(3);
  });

  it('tells that a probe of a half-open breaker would not have waited', async () => {
    const scene = new RateLimitScene({ ...QUEUE, mode: 'metricsOnly' });
    await scene.admitted(1);

    scene.call([], probe);
    await settle();
    await scene.clock.advance(100);
    scene.call([], probe);
    await settle();

    expect(scene.begun).toHaveLength(3);
    // The second one need not wait: the first took no turn.
    expect(scene.environment.of('refused')).toMatchObject([{ retryAfterMs: 100, metricsOnly: true }]);
  });
});

describe('a late timer', () => {
  it('shifts no turn of those that wait by cost', async () => {
    const scene = new RateLimitScene({ ...QUEUE, cost: () => 1 });
    scene.burst(3);

    scene.clock.block(130);
    scene.clock.fireDueTimers();
    await scene.clock.advance(500);

    expect(scene.times).toEqual([0, 130, 230]);
  });

  it('is made up for by those behind, up to 20 ms', async () => {
    const scene = new RateLimitScene(QUEUE);
    scene.burst(4);

    scene.clock.block(115);
    scene.clock.fireDueTimers();
    await scene.clock.advance(65);
    scene.clock.block(70);
    scene.clock.fireDueTimers();
    await scene.clock.advance(500);

    expect(scene.times).toEqual([0, 115, 250, 330]);
  });
});
