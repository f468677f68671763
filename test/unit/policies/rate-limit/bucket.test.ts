import { describe, expect, it } from 'vitest';
import { Bucket } from '../../../../lib/policies/rate-limit/bucket.js';
import { Rate } from '../../../../lib/policies/rate-limit/rate.js';
import { RATE_LIMIT_DEFAULTS } from '../../../../lib/policies/rate-limit/rate-limit.options.js';

const DAY_MS = 86_400_000;

/** How many calls at `now` may begin at once. */
function burst(bucket: Bucket, now: number): number {
  bucket.settle(now);
  let begun = 0;
  for (; bucket.waitBehindAll(1, now) <= 1e-6; begun++) bucket.take(1);
  return begun;
}

describe('Bucket', () => {
  const limits: [limit: number, per: number][] = [
    [3_000, 1_000],
    [100, 1_000 / 3],
    [1_000, 999.7],
    [1_000, 60_000 / 7],
    [7_000, 60_000],
  ];

  it.each([0.001, 1, 10, 100, 1_000])('lets exactly a burst begin, %d days after the process did', (days) => {
    for (const [limit, per] of limits) {
      for (const fraction of [0, 0.1234, 0.7]) {
        const now = Math.floor(days * DAY_MS) + fraction;
        const bucket = new Bucket(new Rate(limit, per, limit, { ...RATE_LIMIT_DEFAULTS, limit, per }));

        expect([limit, per, burst(bucket, now)]).toEqual([limit, per, limit]);
        expect(burst(bucket, now)).toBe(0);
      }
    }
  });

  it.each([1, 100])('lets no more begin in hours than the rate and a burst, %d days after the process did', (days) => {
    for (const [limit, per] of limits) {
      const bucket = new Bucket(new Rate(limit, per, limit, { ...RATE_LIMIT_DEFAULTS, limit, per }));
      const start = days * DAY_MS + 0.1234;
      let begun = 0;
      let now = start;
      for (let step = 0; step < 20_000; step++) {
        begun += burst(bucket, now);
        now += (per / limit) * 7.3;
      }
      const due = limit + (20_000 - 1) * 7.3;

      expect(begun).toBeLessThanOrEqual(due + 0.1);
      expect(begun).toBeGreaterThan(due - 1.1);
    }
  });
});
