import { describe, expect, it } from 'vitest';
import { RollingWindow } from '../../../../lib/policies/circuit-breaker/rolling-window.js';
import { seededRandom } from '../../../support/seeded-random.js';

const START = 1_000_000;

function counted(window: RollingWindow): number[] {
  const { fires, successes, failures, timeouts, rejects, semaphoreRejections } = window;
  return [fires, successes, failures, timeouts, rejects, semaphoreRejections];
}

describe('RollingWindow', () => {
  it('counts each kind by itself', () => {
    const window = new RollingWindow(10_000, 10);
    window.advance(START);

    for (let index = 0; index < 3; index++) window.fire();
    window.success(5);
    window.failure(false);
    window.failure(true);
    window.reject();
    window.semaphoreRejection();

    expect(counted(window)).toEqual([3, 1, 2, 1, 1, 1]);
  });

  it('keeps a count for the whole span, and no longer than a bucket more', () => {
    const window = new RollingWindow(10_000, 10);
    window.advance(START + 300);
    window.failure(false);

    window.advance(START + 9_999);
    expect(window.failures).toBe(1);
    window.advance(START + 10_000);

    expect(window.failures).toBe(0);
  });

  it('lets counts go bucket by bucket', () => {
    const window = new RollingWindow(10_000, 10);
    for (let second = 0; second < 10; second++) {
      window.advance(START + second * 1_000);
      window.failure(false);
    }

    const left = [10_000, 11_000, 14_500, 18_999, 19_000].map((ms) => (window.advance(START + ms), window.failures));

    expect(left).toEqual([9, 8, 5, 1, 0]);
  });

  it('is empty after a long pause', () => {
    const window = new RollingWindow(10_000, 10);
    window.advance(START);
    window.fire();
    window.success(10);

    window.advance(START + 10_000_000);

    expect(counted(window)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(window.meanSuccessMs).toBeUndefined();
  });

  it('is empty after clear()', () => {
    const window = new RollingWindow(10_000, 10);
    window.advance(START);
    window.fire();
    window.success(10);

    window.clear();
    expect(counted(window)).toEqual([0, 0, 0, 0, 0, 0]);
    window.advance(START + 20_000);

    expect(counted(window)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('does not run backwards with the clock', () => {
    const window = new RollingWindow(10_000, 10);
    window.advance(START + 5_000);
    window.fire();

    window.advance(START);
    window.fire();
    window.advance(START + 14_999);

    expect(window.fires).toBe(2);
  });

  it('gives the mean time of the successes in it', () => {
    const window = new RollingWindow(10_000, 10);
    window.advance(START);
    expect(window.meanSuccessMs).toBeUndefined();
    window.success(100);
    window.advance(START + 5_000);
    window.success(300);
    window.failure(false);

    expect(window.meanSuccessMs).toBe(200);
    window.advance(START + 10_000);
    expect(window.meanSuccessMs).toBe(300);
    window.advance(START + 15_000);
    expect(window.meanSuccessMs).toBeUndefined();
  });

  it('does not drift over many rotations with fractions of ms', () => {
    const window = new RollingWindow(1_000, 10);
    const random = seededRandom(7);
    for (let step = 0; step < 200_000; step++) {
      window.advance(START + step * 10);
      window.success(random() * 1e-3 + (step % 2 === 0 ? 1e6 : 0));
    }
    // What large numbers left behind must not show in a window that has none.
    for (let step = 200_000; step < 200_200; step++) {
      window.advance(START + step * 10);
      window.success(0.5);
    }

    expect(window.meanSuccessMs).toBeCloseTo(0.5, 6);
    expect(window.successes).toBe(100);
  });

  it.each([
    [10_000, 1],
    [10_000, 3],
    [1_000, 7],
    [0.5, 4],
  ])('holds for a span of %d ms in %d buckets', (span, buckets) => {
    const window = new RollingWindow(span, buckets);
    const bucket = span / buckets;
    window.advance(START);
    window.fire();

    window.advance(START + span - bucket);
    expect(window.fires).toBe(1);
    window.advance(START + span + bucket);

    expect(window.fires).toBe(0);
  });

  it('gives what each bucket has counted, the newest first', () => {
    const window = new RollingWindow(3_000, 3);
    window.advance(START);
    window.fire();
    window.failure(true);
    window.advance(START + 1_000);
    window.fire();
    window.fire();
    window.success(5);
    window.reject();
    window.semaphoreRejection();
    window.fallback();
    const empty = {
      fires: 0,
      successes: 0,
      failures: 0,
      timeouts: 0,
      rejects: 0,
      semaphoreRejections: 0,
      fallbacks: 0,
    };

    expect(window.slices()).toEqual([
      { ...empty, fires: 2, successes: 1, rejects: 1, semaphoreRejections: 1, fallbacks: 1 },
      { ...empty, fires: 1, failures: 1, timeouts: 1 },
      empty,
    ]);
    window.advance(START + 3_000);
    expect(window.slices()).toEqual([
      empty,
      empty,
      { ...empty, fires: 2, successes: 1, rejects: 1, semaphoreRejections: 1, fallbacks: 1 },
    ]);
    expect([window.timeouts, window.rejects, window.semaphoreRejections, window.fallbacks]).toEqual([0, 1, 1, 1]);
  });

  it('has nothing in its buckets before anything was counted', () => {
    const window = new RollingWindow(2_000, 2);
    window.advance(START);

    expect(window.slices().map((slice) => Object.values(slice))).toEqual([
      [0, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0],
    ]);
    expect([window.timeouts, window.rejects, window.semaphoreRejections, window.fallbacks]).toEqual([0, 0, 0, 0]);
  });

  it('forgets what is rare by clear() as well', () => {
    const window = new RollingWindow(10_000, 10);
    window.advance(START);
    window.reject();
    window.fallback();

    window.clear();
    window.reject();

    expect([window.rejects, window.fallbacks]).toEqual([1, 0]);
  });

  it('lets a measured success stand for others, and one that was not measured for none', () => {
    const window = new RollingWindow(10_000, 10);
    window.advance(START);
    window.success(100, 0);
    expect([window.successes, window.meanSuccessMs]).toEqual([1, undefined]);
    window.success(100, 3);
    window.success(20, 1);

    expect([window.successes, window.meanSuccessMs]).toEqual([3, 80]);
  });
});
