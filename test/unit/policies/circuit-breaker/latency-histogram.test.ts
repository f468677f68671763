import { describe, expect, it } from 'vitest';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { seededRandom } from '../../../support/seeded-random.js';

const FRACTIONS = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 1];

/** Fails unless `actual` is within 10 % of `expected`. */
function expectNear(actual: number | undefined, expected: number): void {
  expect(Math.abs((actual as number) - expected) / expected).toBeLessThanOrEqual(0.1);
}

describe('the latencies of a breaker', () => {
  it('have the percentiles and the mean that the calls had, within 10 %', async () => {
    const scene = new BreakerScene({ rollingCountTimeout: 1_000_000_000 });
    const random = seededRandom(3);
    const latencies = Array.from({ length: 300 }, () => Math.exp(random() * 9));
    for (const ms of latencies) await scene.succeed(1, ms);
    latencies.sort((a, b) => a - b);

    const { percentiles, latencyMean } = scene.stats;

    for (const fraction of FRACTIONS) {
      const rank = Math.max(0, Math.ceil(fraction * latencies.length) - 1);
      expectNear(percentiles[fraction], latencies[rank] as number);
    }
    expectNear(latencyMean, latencies.reduce((sum, ms) => sum + ms, 0) / latencies.length);
  });

  it('include failures, and leave out what was ignored or refused', async () => {
    const scene = new BreakerScene({ errorFilter: (error) => error === 'ignored' });
    for (const [ms, error] of [
      [100, new Error('x')],
      [5_000, 'ignored'],
    ] as const) {
      const running = scene.begin();
      scene.clock.block(ms);
      await running.fail(error);
    }
    scene.breaker.on('reject', () => {});

    expectNear(scene.stats.percentiles[1], 100);
  });

  it('leave with their bucket', async () => {
    const scene = new BreakerScene();
    await scene.succeed(1, 500);
    await scene.clock.advance(5_000);
    await scene.succeed(1, 20);

    expectNear(scene.stats.percentiles[1], 500);
    await scene.clock.advance(5_000);

    expectNear(scene.stats.percentiles[1], 20);
  });

  it('are all gone, when a window or more has passed without a call', async () => {
    const left: (number | undefined)[] = [];
    for (const pause of [10_000, 13_000, 20_000, 1_000_000]) {
      const scene = new BreakerScene();
      await scene.succeed(5, 500);
      await scene.clock.advance(pause);
      left.push(scene.stats.percentiles[1]);
    }

    expect(left).toEqual([0, 0, 0, 0]);
  });

  it('are those of new calls alone, when a window or more has passed', async () => {
    for (const pause of [10_000, 13_000, 20_000, 1_000_000]) {
      const scene = new BreakerScene();
      await scene.succeed(5, 5_000);
      await scene.clock.advance(pause);
      await scene.succeed(1, 20);

      expectNear(scene.stats.percentiles[1], 20);
    }
  });

  it('are 0 before any call, and -1 where none are kept', async () => {
    const none = new BreakerScene({ rollingPercentilesEnabled: false });
    await none.succeed(1, 100);

    expect(new BreakerScene().stats).toMatchObject({ latencyMean: 0, percentiles: { 0.5: 0, 0.99: 0 } });
    expect(none.stats).toMatchObject({ latencyMean: -1, percentiles: { 0.5: -1, 0.99: -1 } });
  });

  it('cope with 0 ms and with a day', async () => {
    const scene = new BreakerScene({ rollingCountTimeout: 2_000_000_000 });
    await scene.succeed(1, 0);
    await scene.succeed(1, 86_400_000);

    const { percentiles } = scene.stats;

    expect(percentiles[0]).toBe(0);
    expect(percentiles[1]).toBeGreaterThan(1_000_000);
  });

  it('are empty after reset()', async () => {
    const scene = new BreakerScene();
    await scene.succeed(3, 100);

    scene.breaker.reset();

    expect(scene.stats.percentiles[1]).toBe(0);
  });
});
