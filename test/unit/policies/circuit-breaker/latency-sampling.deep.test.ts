import { describe, expect, it } from 'vitest';
import { slowCallRate } from '../../../../lib/policies/circuit-breaker/trip/slow-call-rate.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { seededRandom } from '../../../support/seeded-random.js';

describe('a breaker under a load at which latencies are sampled', () => {
  const CALLS = 30_000;

  async function loaded(scene: BreakerScene): Promise<number[]> {
    const random = seededRandom(11);
    const latencies: number[] = [];
    const running = Array.from({ length: CALLS }, () => scene.begin());
    for (const call of running) {
      scene.clock.block(random() * 0.2);
      latencies.push(scene.clock.now());
      await call.succeed();
    }
    const begun = latencies[0] as number;
    return latencies.map((at) => at - begun).sort((a, b) => a - b);
  }

  it('counts every call, and its percentiles stay within 10 %', async () => {
    const scene = new BreakerScene();
    const latencies = await loaded(scene);

    const { fires, successes, failures, percentiles } = scene.stats;

    expect([fires, successes, failures]).toEqual([CALLS, CALLS, 0]);
    for (const fraction of [0.25, 0.5, 0.9, 0.99]) {
      const exact = latencies[Math.ceil(fraction * CALLS) - 1] as number;
      expect(Math.abs((percentiles[fraction] as number) - exact) / exact).toBeLessThan(0.1);
    }
  });

  it('is judged by every call where it looks for slow ones', async () => {
    const scene = new BreakerScene({ trip: slowCallRate({ slowerThan: 1_500, percentage: 45 }) });

    await loaded(scene);

    expect(scene.state).toBe('open');
  });

  it('tells every call to whoever listens', async () => {
    const scene = new BreakerScene();
    const seen: number[] = [];
    scene.breaker.on('success', (_result: unknown, latencyMs: number) => seen.push(latencyMs));

    const latencies = await loaded(scene);

    expect(seen).toHaveLength(CALLS);
    expect(seen.at(-1)).toBeCloseTo((latencies.at(-1) as number) + (seen[0] as number), 6);
  });
});
