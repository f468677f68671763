import { describe, expect, it } from 'vitest';
import { BULKHEAD_DEFAULTS, type BulkheadOptions } from '../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../lib/policies/bulkhead/bulkhead.guard.js';
import { resolveRateLimit } from '../../../lib/policies/rate-limit/rate-limit.options.js';
import { execute, ManualWork, newCall } from '../../support/calls.js';
import { settle, track } from '../../support/settle.js';
import { TestEnvironment } from '../../support/test-environment.js';
import { RateLimitScene } from './rate-limit/rate-limit.scene.js';

describe('a rate limit in the shadow', () => {
  it('refuses nothing, and tells what it would have refused', async () => {
    const scene = new RateLimitScene({ limit: 2, per: 1_000, mode: 'metricsOnly' });

    expect(await scene.admitted(5)).toBe(5);

    expect(scene.environment.of('refused')).toHaveLength(3);
    expect(scene.environment.of('refused')[0]).toMatchObject({
      name: 'search',
      policy: 'rateLimit',
      code: 'RATE_LIMITED',
      retryAfterMs: 500,
      metricsOnly: true,
    });
  });

  it('takes nothing for what it would have refused', async () => {
    const scene = new RateLimitScene({ limit: 2, per: 1_000, mode: 'metricsOnly' });
    await scene.admitted(10);
    await scene.clock.advance(500);

    await scene.admitted(1);

    expect(scene.environment.of('refused')).toHaveLength(8);
  });

  it('lets nobody wait, and refuses whose turn would come too late', async () => {
    const scene = new RateLimitScene({ limit: 10, per: 1_000, onLimit: 'queue', maxWait: 250, mode: 'metricsOnly' });

    expect(await scene.admitted(5)).toBe(5);

    expect(scene.limiter.waiting).toBe(0);
    expect(scene.environment.of('refused').map(({ details }) => details?.waitMs)).toEqual([300, 300]);
  });

  it('lets through what costs more than ever fits', async () => {
    const scene = new RateLimitScene({ limit: 2, per: 1_000, cost: () => 3, mode: 'metricsOnly' });

    expect(await scene.admitted(1)).toBe(1);

    expect(scene.environment.of('refused')).toMatchObject([{ metricsOnly: true }]);
  });

  it('lets in who waits when it moves into the shadow', async () => {
    const options = { limit: 10, per: 1_000, onLimit: 'queue' } as const;
    const scene = new RateLimitScene(options);
    scene.burst(3);
    await settle();
    expect(scene.begun).toHaveLength(1);

    scene.limiter.reconfigure(resolveRateLimit('test', { ...options, mode: 'metricsOnly' }));
    await settle();

    expect(scene.begun).toHaveLength(3);
    expect(scene.clock.pending).toBe(0);
  });

  it('tells of no shadow when it refuses', async () => {
    const scene = new RateLimitScene({ limit: 1, per: 1_000 });

    await scene.admitted(2);

    expect(scene.environment.of('refused')[0]).not.toHaveProperty('metricsOnly');
  });
});

describe('a bulkhead in the shadow', () => {
  const setUp = (options: BulkheadOptions) => {
    const environment = new TestEnvironment();
    const bulkhead = new BulkheadGuard('payments', { ...BULKHEAD_DEFAULTS, ...options }, environment);
    const work = new ManualWork();
    const make = (count: number): void => {
      for (let index = 0; index < count; index++) track(execute(bulkhead, newCall(environment), work.run));
    };
    return { environment, bulkhead, work, make };
  };

  it('lets all run, and tells what it would have refused', async () => {
    const { environment, bulkhead, work, make } = setUp({ maxConcurrent: 2, maxQueue: 1, mode: 'metricsOnly' });

    make(5);
    await settle();

    expect(work.begun).toBe(5);
    expect(bulkhead).toMatchObject({ active: 3, waiting: 0 });
    expect(environment.of('refused')).toMatchObject([
      { code: 'BULKHEAD_FULL', metricsOnly: true },
      { code: 'BULKHEAD_FULL', metricsOnly: true },
    ]);
  });

  it('gives back what it has counted', async () => {
    const { bulkhead, work, make } = setUp({ maxConcurrent: 2, mode: 'metricsOnly' });
    make(3);

    for (const index of [0, 1, 2]) work.succeed(index, 'done');
    await settle();

    expect(bulkhead.active).toBe(0);
  });

  it('lets in who waits when it moves into the shadow', async () => {
    const { bulkhead, work, make } = setUp({ maxConcurrent: 1, maxQueue: 5 });
    make(3);
    await settle();
    expect(work.begun).toBe(1);

    bulkhead.reconfigure({ ...BULKHEAD_DEFAULTS, maxConcurrent: 1, maxQueue: 5, mode: 'metricsOnly' });
    await settle();

    expect(work.begun).toBe(3);
  });
});
