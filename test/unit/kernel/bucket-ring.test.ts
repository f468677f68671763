import { describe, expect, it } from 'vitest';
import { BucketRing } from '../../../lib/kernel/bucket-ring.js';
import { seededRandom } from '../../support/seeded-random.js';

const START = 1_000_000;
const [ONE, OTHER] = [0, 1];

describe('BucketRing', () => {
  it('counts each thing by itself, in all buckets and in each', () => {
    const ring = new BucketRing(1_000, 3, 2);
    ring.advance(START);
    ring.add(ONE, 2);
    ring.advance(START + 1_000);
    ring.add(ONE, 3);
    ring.add(OTHER, 4);

    expect([ring.total(ONE), ring.total(OTHER)]).toEqual([5, 4]);
    expect([0, 1, 2].map((age) => ring.at(age, ONE))).toEqual([3, 2, 0]);
  });

  it('lets a bucket go when its time is over, and no sooner', () => {
    const ring = new BucketRing(1_000, 3, 1);
    ring.advance(START);
    ring.add(ONE, 1);

    const totals = [2_999, 3_000].map((ms) => (ring.advance(START + ms), ring.total(ONE)));

    expect(totals).toEqual([1, 0]);
  });

  it('does not run backwards', () => {
    const ring = new BucketRing(1_000, 3, 1);
    ring.advance(START);
    ring.advance(START - 5_000);
    ring.add(ONE, 1);
    ring.advance(START + 2_999);

    expect(ring.total(ONE)).toBe(1);
  });

  it('tells when the current bucket is over', () => {
    const ring = new BucketRing(250, 4, 1);

    ring.advance(START + 249);

    expect(ring.endsAt).toBe(START + 250);
  });

  it('sums what has fractions, with no rest of what has gone', () => {
    const ring = new BucketRing(1_000, 3, 1);
    for (let second = 0; second < 100; second++) {
      ring.advance(START + second * 1_000);
      ring.addSum(0.1 * 10 ** (second % 7));
    }
    ring.advance(START + 110_000);
    expect(ring.sum).toBe(0);
    ring.addSum(0.1);

    expect(ring.sum).toBe(0.1);
  });

  it('is empty after clear()', () => {
    const ring = new BucketRing(1_000, 3, 1);
    ring.advance(START);
    ring.add(ONE, 1);
    ring.addSum(1.5);

    ring.clear();

    expect([ring.total(ONE), ring.at(0, ONE), ring.sum]).toEqual([0, 0, 0]);
  });

  it('follows another, so that both are in the same bucket', () => {
    const [leading, following] = [new BucketRing(1_000, 3, 1), new BucketRing(1_000, 3, 1)];
    leading.advance(START);
    following.follow(leading);
    following.add(ONE, 1);

    const totals = [2_500, 3_000].map((ms) => {
      leading.advance(START + ms);
      following.follow(leading);
      return following.total(ONE);
    });

    expect(totals).toEqual([1, 0]);
  });

  it('holds at any time what a list of all counts holds', () => {
    const random = seededRandom(5);
    const ring = new BucketRing(100, 7, 2);
    let counts: { tick: number; field: number; amount: number }[] = [];
    let now = START;

    for (let step = 0; step < 3_000; step++) {
      if (random() < 0.3) now += random() * (random() < 0.05 ? 2_000 : 150);
      const tick = Math.floor(now / 100);
      ring.advance(now);
      const [field, amount] = [random() < 0.5 ? ONE : OTHER, Math.floor(random() * 20)];
      ring.add(field, amount);
      counts = [...counts, { tick, field, amount }].filter((count) => tick - count.tick < 7);
      const held = (which: number): number =>
        counts.reduce((sum, count) => sum + (count.field === which ? count.amount : 0), 0);

      expect([step, ring.total(ONE), ring.total(OTHER)]).toEqual([step, held(ONE), held(OTHER)]);
    }
  });
});
