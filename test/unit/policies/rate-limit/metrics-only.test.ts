import { describe, expect, it } from 'vitest';
import { resolveRateLimit } from '../../../../lib/policies/rate-limit/rate-limit.options.js';
import { settle } from '../../../support/settle.js';
import { RateLimitScene } from './rate-limit.scene.js';

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
