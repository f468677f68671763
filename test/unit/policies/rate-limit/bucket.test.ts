import { describe, expect, it } from 'vitest';
import { Bucket } from '../../../../lib/policies/rate-limit/bucket.js';
import { Rate } from '../../../../lib/policies/rate-limit/rate.js';
import { RATE_LIMIT_DEFAULTS, type ResolvedRateLimit } from '../../../../lib/policies/rate-limit/rate-limit.options.js';

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
      for (let step = 0; step < 5_000; step++) {
        begun += burst(bucket, now);
        now += (per / limit) * 7.3;
      }
      const due = limit + (5_000 - 1) * 7.3;

      expect(begun).toBeLessThanOrEqual(due + 0.1);
      expect(begun).toBeGreaterThan(due - 1.1);
    }
  });

  describe('how many calls may begin', () => {
    const bucketOf = (options: Partial<ResolvedRateLimit> = {}, burst?: number): Bucket =>
      new Bucket(new Rate(10, 1_000, burst, { ...RATE_LIMIT_DEFAULTS, limit: 10, per: 1_000, ...options }));

    it('is a burst after a rest, and what is left of it then', () => {
      const bucket = bucketOf({}, 4);
      bucket.settle(1_000);
      expect(bucket.availableAt(1_000)).toBe(4);

      bucket.take(3);
      expect(bucket.availableAt(1_000)).toBe(1);
      expect(bucket.availableAt(1_150)).toBe(2.5);
      bucket.take(1);
      expect(bucket.availableAt(1_000)).toBe(0);
      expect(bucket.availableAt(1_399)).toBeCloseTo(3.99, 9);

      expect(bucket.availableAt(9_000)).toBe(4);
    });

    it('is none below nothing, where more waits than a burst', () => {
      const bucket = bucketOf({ onLimit: 'queue' }, 2);
      bucket.settle(0);
      bucket.take(2);
      bucket.enter(1);
      bucket.enter(1);

      expect(bucket.availableAt(0)).toBe(0);
      expect(bucket.availableAt(300)).toBe(1);
    });

    it('is one where they are spaced, when the turn of the last one is over', () => {
      const bucket = bucketOf({ onLimit: 'queue' });
      bucket.settle(0);
      expect(bucket.availableAt(0)).toBe(1);

      bucket.take(1);
      expect(bucket.availableAt(99)).toBe(0);
      expect(bucket.availableAt(100)).toBe(1);
      bucket.enter(1);

      expect(bucket.availableAt(199)).toBe(0);
      expect(bucket.availableAt(200)).toBe(1);
    });
  });

  it('is committed until all that was let through and all that waits has had its time', () => {
    const bucket = new Bucket(new Rate(10, 1_000, 10, { ...RATE_LIMIT_DEFAULTS, limit: 10, per: 1_000 }));
    bucket.settle(500);
    bucket.take(2);
    bucket.enter(0.1);
    bucket.enter(0.2);
    expect([bucket.paidAt, bucket.waiting]).toEqual([700, 2]);
    expect(bucket.committedUntil).toBeCloseTo(730, 9);
    expect(bucket.waitBehindAll(10, 500)).toBeCloseTo(230, 9);

    bucket.leave(0.1);
    expect(bucket.committedUntil).toBeCloseTo(720, 9);
    bucket.leave(0.2);

    // Nothing is left of sums that are not quite whole.
    expect([bucket.committedUntil, bucket.waiting]).toEqual([700, 0]);
  });

  it('counts no time back, when it is told of an earlier moment', () => {
    const bucket = new Bucket(new Rate(10, 1_000, 10, { ...RATE_LIMIT_DEFAULTS, limit: 10, per: 1_000 }));
    bucket.settle(1_000);
    bucket.take(3);

    bucket.settle(900);
    expect(bucket.paidAt).toBe(1_300);
    bucket.settle(1_100);
    expect(bucket.paidAt).toBe(1_300);
    bucket.settle(1_400);

    expect(bucket.paidAt).toBe(1_400);
  });

  describe('with a rate that changes', () => {
    const rateOf = (limit: number, options: Partial<ResolvedRateLimit> = {}) =>
      new Rate(limit, 1_000, limit, { ...RATE_LIMIT_DEFAULTS, limit, per: 1_000, ...options });

    it('counts what was let through by the new one, and a burst at most', () => {
      const bucket = new Bucket(rateOf(10));
      bucket.settle(0);
      bucket.take(4);

      bucket.reconfigure(rateOf(20), 100);
      expect([bucket.paidAt, bucket.rate.limit]).toEqual([100 + 3 * 50, 20]);
      bucket.reconfigure(rateOf(2), 100);

      expect(bucket.paidAt).toBe(100 + 2 * 500);
    });

    it('owes nothing after a rest, whatever comes', () => {
      const bucket = new Bucket(rateOf(10));

      bucket.reconfigure(rateOf(0), 500);
      expect(bucket.paidAt).toBe(500);
      bucket.reconfigure(rateOf(10), 600);

      expect([bucket.paidAt, bucket.availableAt(600)]).toEqual([600, 10]);
    });

    it('stays as warm as it was, and is never colder than the new rate can be', () => {
      const warmUp = { over: 1_000 };
      // Five permits above the threshold, 200 ms each on average, and five below it.
      const cold = new Bucket(rateOf(20, { warmUp }));
      cold.settle(0);
      cold.reconfigure(rateOf(10, { warmUp }), 0);
      cold.take(10);
      expect(cold.paidAt).toBeCloseTo(1_000 + 500, 6);

      const warm = new Bucket(rateOf(10));
      warm.settle(0);
      warm.reconfigure(rateOf(10, { warmUp }), 0);
      warm.take(10);
      expect(warm.paidAt).toBe(1_000);
    });
  });
});
