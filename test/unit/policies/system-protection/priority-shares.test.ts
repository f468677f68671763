import { describe, expect, it } from 'vitest';
import { PriorityShares } from '../../../../lib/policies/system-protection/priority-shares.js';

const NOW = 5_000;

function sharesOf(priorities: readonly number[], shares = new PriorityShares(), now = NOW): number[] {
  return priorities.map((priority) => shares.shareOf(priority, now));
}

describe('PriorityShares', () => {
  it('gives all to a priority that comes alone', () => {
    expect(sharesOf([3, 3, 3])).toEqual([1, 1, 1]);
  });

  it('gives all to the highest, three quarters to the lowest, and others what their rank is worth', () => {
    const shares = new PriorityShares();
    sharesOf([5, 0, 9], shares);

    expect(sharesOf([9, 5, 0], shares)).toEqual([1, 0.875, 0.75]);
    sharesOf([7, -1], shares);
    expect(sharesOf([9, 7, 5, 0, -1], shares)).toEqual([1, 0.9375, 0.875, 0.8125, 0.75]);
  });

  it('counts ranks, not how far apart they are', () => {
    const shares = new PriorityShares();
    sharesOf([1, 2, 1_000], shares);

    expect(sharesOf([1, 2, 1_000], shares)).toEqual([0.75, 0.875, 1]);
  });

  it('knows a level from its first request on', () => {
    expect(sharesOf([1, 0, 1])).toEqual([1, 0.75, 1]);
    expect(sharesOf([0, 1, 0])).toEqual([1, 1, 0.75]);
  });

  it('forgets a level that has not come for more than 10 s', () => {
    const shares = new PriorityShares();
    sharesOf([2, 1, 0], shares, 0);
    sharesOf([1], shares, 4_000);

    expect(sharesOf([0], shares, 10_000)).toEqual([0.75]);
    expect(sharesOf([0, 1], shares, 10_001)).toEqual([0.75, 1]);
    // All of them.
    expect(sharesOf([0], shares, 30_000)).toEqual([1]);
  });

  it('tells eight apart, and takes a further one for the next lower', () => {
    const shares = new PriorityShares();
    sharesOf([10, 20, 30, 40, 50, 60, 70, 80], shares);

    const shareOf = (rank: number): number => 1 - (0.25 * (7 - rank)) / 7;
    expect(sharesOf([10, 80], shares)).toEqual([shareOf(0), shareOf(7)]);
    expect(sharesOf([5, 15, 45, 79, 90], shares)).toEqual([shareOf(0), shareOf(0), shareOf(3), shareOf(6), shareOf(7)]);
    expect(sharesOf([20], shares)).toEqual([shareOf(1)]);
  });

  it('knows a level for as long as further ones share it', () => {
    const shares = new PriorityShares();
    sharesOf([10, 20, 30, 40, 50, 60, 70, 80], shares, 0);
    sharesOf([45], shares, 9_000);

    expect(sharesOf([40, 50], shares, 11_000)).toEqual([1, 1]);
    expect(sharesOf([40], shares, 11_000)).toEqual([0.75]);
  });
});
