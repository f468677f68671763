import { describe, expect, it } from 'vitest';
import { WarmUp } from '../../../../lib/policies/rate-limit/warm-up.js';

/** 10 ms a unit; cold: 30 ms. Threshold 100 permits, cold at 200. */
const warmUp = new WarmUp(10, 2_000, 3);

describe('WarmUp', () => {
  it('gathers as many permits as the model says', () => {
    expect(warmUp.maxPermits).toBe(200);
    // 0.5 x 2,000 / 10 below the threshold, 2 x 2,000 / (10 + 50) above it.
    expect(new WarmUp(10, 2_000, 5).maxPermits).toBeCloseTo(100 + 200 / 3, 9);
  });

  it.each([
    ['from cold to the threshold', 100, 200, 2_000],
    ['from the middle to the threshold', 50, 150, 750],
    ['one of the coldest', 1, 200, 29.9],
    ['the last one above the threshold', 1, 101, 10.1],
    ['one below the threshold', 1, 100, 10],
    ['across the threshold', 2, 101, 20.1],
    ['more than lie there', 300, 200, 2_000 + 200 * 10],
    ['with none', 5, 0, 50],
    ['a part of one', 0.5, 200, 14.975],
  ])('takes the area under the line: %s', (_, cost, permits, ms) => {
    expect(warmUp.timeFor(cost, permits)).toBeCloseTo(ms, 9);
  });

  it('costs the same at once as one by one', () => {
    let sum = 0;
    for (let permits = 200; permits > 80; permits--) sum += warmUp.timeFor(1, permits);

    expect(warmUp.timeFor(120, 200)).toBeCloseTo(sum, 6);
  });

  it('cools from nothing to cold within `over` ms, and no further', () => {
    expect(warmUp.cooled(0, 1_000)).toBe(100);
    expect(warmUp.cooled(150, 400)).toBe(190);
    expect(warmUp.cooled(0, 2_000)).toBe(200);
    expect(warmUp.cooled(200, Infinity)).toBe(200);
  });
});
