import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../../lib/policies/system-protection/token-bucket.js';

/** How many are let in at `now`. */
function taken(bucket: TokenBucket, now: number, kept = 0): number {
  let count = 0;
  while (count < 1_000 && bucket.take(now, kept)) count++;
  return count;
}

describe('TokenBucket', () => {
  it('is full at first, and holds a second of its rate at most', () => {
    const bucket = new TokenBucket(10, 5_000);

    expect(taken(bucket, 5_000)).toBe(10);
    expect(taken(bucket, 5_250)).toBe(2);
    expect(taken(bucket, 5_300)).toBe(1);
    expect(taken(bucket, 60_000)).toBe(10);
  });

  it('lets one in now and then, where the rate is less than one a second', () => {
    const bucket = new TokenBucket(0.5, 0);

    expect(taken(bucket, 0)).toBe(1);
    expect(taken(bucket, 1_999)).toBe(0);
    expect(taken(bucket, 2_000)).toBe(1);
    expect(taken(bucket, 99_000)).toBe(1);
  });

  it('keeps a share of what it can hold for others', () => {
    const bucket = new TokenBucket(9, 0);

    expect(taken(bucket, 0, 0.25)).toBe(7);
    expect(taken(bucket, 0)).toBe(2);
    // A share of the one that there is at least is none.
    expect(taken(new TokenBucket(1, 0), 0, 0.25)).toBe(1);
  });
});
