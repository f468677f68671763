import { describe, expect, it } from 'vitest';
import { Bucket } from '../../../../../lib/policies/rate-limit/bucket.js';
import type { InClusterLine } from '../../../../../lib/policies/rate-limit/cluster/in-cluster-line.js';
import { Share } from '../../../../../lib/policies/rate-limit/cluster/share.js';
import { RATE_LIMIT_DEFAULTS } from '../../../../../lib/policies/rate-limit/rate-limit.options.js';
import { Rate } from '../../../../../lib/policies/rate-limit/rate.js';

function setUp() {
  const bucket = new Bucket(new Rate(10, 1_000, 10, { ...RATE_LIMIT_DEFAULTS, limit: 10, per: 1_000 }));
  const share = new Share(bucket);
  const call = (cost = 1): InClusterLine => ({
    wanted: { bucket, cost, since: 0, boundMs: Infinity, latest: Infinity, metricsOnly: false },
    patient: true,
    admit: () => undefined,
    turnAway: () => undefined,
  });
  return { share, call };
}

describe('those who wait for their share', () => {
  it('stand in order of arrival, and cost something together', () => {
    const { share, call } = setUp();
    const [one, other] = [call(2), call(0.1)];
    expect([share.first, share.backlog, share.calls.size]).toEqual([undefined, 0, 0]);

    share.join(one);
    share.join(other);
    expect([share.first, share.calls.size]).toEqual([one, 2]);
    expect(share.backlog).toBeCloseTo(2.1, 9);
    expect(share.leave(one)).toBe(true);

    expect(share.first).toBe(other);
    expect(share.backlog).toBeCloseTo(0.1, 9);
  });

  it('leave once, and nothing behind', () => {
    const { share, call } = setUp();
    const [one, other] = [call(0.1), call(0.2)];
    expect(share.leave(one)).toBe(false);
    share.join(one);
    share.join(other);

    expect([share.leave(one), share.leave(one), share.leave(other), share.leave(other)]).toEqual([
      true,
      false,
      true,
      false,
    ]);

    expect([share.backlog, share.calls.size, share.first]).toEqual([0, 0, undefined]);
    // Nobody waits in another share either.
    expect(setUp().share.calls.size).toBe(0);
  });

  it('have their turn when the store has said, one after the other', () => {
    const { share } = setUp();
    expect(share.turnAt(1, 0, 500)).toBe(500);
    share.nextAt = 600;

    expect(share.turnAt(1, 0, 500)).toBe(600);
    expect(share.turnAt(1, 2, 500)).toBe(800);
    expect(share.turnAt(3, 0, 500)).toBe(800);
    expect(share.turnAt(0.5, 0, 500)).toBe(600);
    expect(share.turnAt(1, 0, 700)).toBe(700);
    share.pausedUntil = 900;

    expect(share.turnAt(1, 0, 700)).toBe(900);
    expect(share.turnAt(1, 5, 700)).toBe(1_100);
  });
});
