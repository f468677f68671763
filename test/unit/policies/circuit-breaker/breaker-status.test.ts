import { describe, expect, it } from 'vitest';
import type { BreakerStats } from '../../../../lib/policies/circuit-breaker/breaker-stats.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const OPTIONS = { rollingCountTimeout: 10_000, rollingCountBuckets: 10 };

/** What the status of `scene` tells from now on, and what ends that. */
function snapshots(scene: BreakerScene, way: 'on' | 'addListener' | 'prependListener' = 'on') {
  const told: BreakerStats[] = [];
  const listener = (stats: BreakerStats): void => void told.push(stats);
  expect(scene.breaker.status[way]('snapshot', listener)).toBe(scene.breaker.status);
  return { told, leave: () => scene.breaker.status.off('snapshot', listener) };
}

describe("a breaker's status", () => {
  it('is one, with the numbers of the window and of each bucket, the newest first', async () => {
    const scene = new BreakerScene(OPTIONS);
    await scene.fail(2);
    await scene.clock.advance(1_000);
    await scene.succeed(3);
    const { status } = scene.breaker;

    expect(scene.breaker.status).toBe(status);
    expect(status.stats).toMatchObject({ fires: 5, successes: 3, failures: 2 });
    expect(status.window).toHaveLength(10);
    expect(status.window[0]).toEqual({
      fires: 3,
      successes: 3,
      failures: 0,
      timeouts: 0,
      rejects: 0,
      semaphoreRejections: 0,
      fallbacks: 0,
      cacheHits: 0,
      cacheMisses: 0,
      coalesceCacheHits: 0,
      coalesceCacheMisses: 0,
      percentiles: {},
      latencyTimes: [],
    });
    expect(status.window[1]).toMatchObject({ fires: 2, successes: 0, failures: 2 });
    expect(status.window[2]).toMatchObject({ fires: 0 });
  });

  it('has the numbers of now, without a call', async () => {
    const scene = new BreakerScene(OPTIONS);
    await scene.fail(2);
    scene.clock.block(10_000);

    expect(scene.breaker.status.window.every(({ fires }) => fires === 0)).toBe(true);
    expect(scene.breaker.status.stats.fires).toBe(0);
  });

  it.each(['on', 'addListener', 'prependListener'] as const)(
    'tells its numbers once a bucket to whoever listens by %s',
    async (way) => {
      const scene = new BreakerScene(OPTIONS);
      const { told } = snapshots(scene, way);
      await scene.fail();

      await scene.clock.advance(999);
      expect(told).toEqual([]);
      await scene.clock.advance(1);
      await scene.succeed();
      await scene.clock.advance(1_000);

      expect(told).toMatchObject([
        { fires: 1, failures: 1 },
        { fires: 2, failures: 1, successes: 1 },
      ]);
    },
  );

  it('hears first whoever was prepended', async () => {
    const scene = new BreakerScene(OPTIONS);
    const heard: string[] = [];
    scene.breaker.status.on('snapshot', () => heard.push('second'));
    scene.breaker.status.prependListener('snapshot', () => heard.push('first'));

    await scene.clock.advance(1_000);

    expect(heard).toEqual(['first', 'second']);
  });

  it('has one timer, however many listen, which keeps no process alive', () => {
    const scene = new BreakerScene(OPTIONS, new TestEnvironment(false));

    for (let listener = 0; listener < 3; listener++) snapshots(scene);

    expect([scene.clock.timersMade, scene.clock.pending, scene.clock.keepingAlive]).toEqual([1, 1, 0]);
  });

  it('has no timer while nobody listens to snapshots', async () => {
    const scene = new BreakerScene(OPTIONS, new TestEnvironment(false));
    scene.breaker.status.on('other', () => {});
    expect(scene.clock.timersMade).toBe(0);

    const { told, leave } = snapshots(scene);
    await scene.clock.advance(1_000);
    leave();
    await scene.clock.advance(5_000);

    expect([told.length, scene.clock.pending]).toEqual([1, 0]);
    snapshots(scene);
    expect(scene.clock.pending).toBe(1);
  });

  it('tells once a ms at most, however narrow the buckets', async () => {
    const scene = new BreakerScene({ rollingCountTimeout: 5, rollingCountBuckets: 10 });
    const { told } = snapshots(scene);

    await scene.clock.advance(3);

    expect(told).toHaveLength(3);
  });

  it('goes on with the others, when a listener throws, and reports it', async () => {
    const scene = new BreakerScene(OPTIONS);
    scene.breaker.status.on('snapshot', () => {
      throw new Error('mine');
    });
    const { told } = snapshots(scene);

    await scene.clock.advance(2_000);

    expect(told).toHaveLength(2);
    expect(scene.environment.reports[0]).toMatchObject({
      place: "payments, a listener of 'snapshot'",
      error: { message: 'mine' },
    });
  });

  it.each<[string, (scene: BreakerScene) => void]>([
    ['it is shut down itself', ({ breaker }) => breaker.status.shutdown()],
    ['the breaker is shut down', ({ breaker }) => breaker.shutdown()],
    ['the breaker is no longer in use', ({ breaker }) => breaker.core.retire()],
  ])('lets go of its listeners and its timer, when %s', async (_end, end) => {
    const scene = new BreakerScene(OPTIONS, new TestEnvironment(false));
    const { told } = snapshots(scene);

    end(scene);
    await scene.clock.advance(5_000);

    expect([told.length, scene.clock.pending, scene.breaker.status.listenerCount('snapshot')]).toEqual([0, 0, 0]);
  });

  it('lets go of its timer when the app shuts down, and begins none after it', async () => {
    const scene = new BreakerScene(OPTIONS, new TestEnvironment(false));
    const { told } = snapshots(scene);

    scene.environment.lifecycle.dispose();
    expect(scene.clock.pending).toBe(0);
    snapshots(scene);
    await scene.clock.advance(5_000);

    expect([told.length, scene.clock.timersMade]).toEqual([0, 1]);
  });

  it('begins no timer on a breaker that was shut down', () => {
    const scene = new BreakerScene(OPTIONS, new TestEnvironment(false));
    const { status } = scene.breaker;
    scene.breaker.shutdown();

    status.on('snapshot', () => {});

    expect(scene.clock.timersMade).toBe(0);
  });
});
