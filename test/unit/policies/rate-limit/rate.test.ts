import { describe, expect, it } from 'vitest';
import { resolveRateLimit, type RateLimitOptions } from '../../../../lib/policies/rate-limit/rate-limit.options.js';
import { Rate } from '../../../../lib/policies/rate-limit/rate.js';

function resolved(options: RateLimitOptions) {
  return resolveRateLimit('test', { limit: 10, per: 1_000, onLimit: 'reject', ...options });
}

const rateOf = (options: RateLimitOptions, processes?: number): Rate => Rate.of(resolved(options), processes);

describe('Rate', () => {
  it('gives each unit its part of the time, and a whole limit at once', () => {
    expect(rateOf({})).toMatchObject({
      limit: 10,
      per: 1_000,
      intervalMs: 100,
      maxCost: 10,
      toleranceMs: 1_000,
      makeUpMs: 0,
      warmUp: undefined,
    });
  });

  it('gives as much at once as burst says', () => {
    expect(rateOf({ burst: 3 })).toMatchObject({ intervalMs: 100, maxCost: 3, toleranceMs: 300 });
    expect(rateOf({ burst: 3, onLimit: 'queue' })).toMatchObject({ maxCost: 3, toleranceMs: 300, makeUpMs: 0 });
  });

  it('spaces what is queued evenly, however much one call costs', () => {
    expect(rateOf({ onLimit: 'queue' })).toMatchObject({ maxCost: 10, toleranceMs: 0 });
  });

  it('lets queued calls make up for late timers, of 20 ms at most, and of less than a burst', () => {
    const makeUp = (options: RateLimitOptions) => rateOf({ onLimit: 'queue', ...options }).makeUpMs;

    expect(makeUp({ limit: 1_000 })).toBe(20);
    expect(makeUp({ limit: 3, per: 9 })).toBe(6);
    expect(makeUp({ limit: 1, per: 9 })).toBe(0);
    expect(makeUp({ limit: 1_000, cost: () => 1 })).toBe(0);
    expect(makeUp({ limit: 1_000, burst: 5 })).toBe(0);
    // A limit below one call, whose burst is one.
    expect(new Rate(0.5, 10, undefined, resolved({ onLimit: 'queue' })).makeUpMs).toBe(0);
  });

  it('divides the pace, and the burst with it, by the processes that share the limit', () => {
    expect(rateOf({}, 4)).toMatchObject({ intervalMs: 400, maxCost: 10, toleranceMs: 1_000 });
  });

  it('begins three times as slow as in steady use, where a cold start says nothing else', () => {
    const steady = rateOf({ warmUp: { over: 1_000 } }).warmUp;
    const twice = rateOf({ warmUp: { over: 1_000, coldFactor: 2 } }).warmUp;

    // 0.5 x 1,000 / 100 permits below the threshold, 2 x 1,000 / (100 + cold) above it.
    expect(steady?.maxPermits).toBe(5 + 5);
    expect(twice?.maxPermits).toBeCloseTo(5 + 2_000 / 300, 9);
  });

  describe('of a key with limits of its own', () => {
    it('is as much in the time of the others, or what it says', () => {
      const options = resolved({ key: String });

      expect(Rate.override(5, options)).toMatchObject({ limit: 5, per: 1_000, maxCost: 5, intervalMs: 200 });
      expect(Rate.override({ limit: 5, per: 100, burst: 2 }, options)).toMatchObject({
        limit: 5,
        per: 100,
        maxCost: 2,
        intervalMs: 20,
        toleranceMs: 40,
      });
      expect(Rate.override(5, options, 3).intervalMs).toBe(600);
    });

    it('lets a tenth begin at once in a cluster, unless it says more', () => {
      const options = resolved({ key: String, scope: 'cluster' });

      expect(Rate.override(1_000, options).maxCost).toBe(100);
      expect(Rate.override({ limit: 1_000, burst: 7 }, options).maxCost).toBe(7);
      expect(Rate.override(1_000, resolved({ key: String })).maxCost).toBe(1_000);
    });
  });
});
