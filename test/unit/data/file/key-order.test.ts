import { describe, expect, it } from 'vitest';
import { KeyOrder } from '../../../../lib/data/file/key-order.js';

describe('KeyOrder', () => {
  it('agrees with a sorted list through adds and removes', () => {
    const order = new KeyOrder();
    const expected = new Set<string>();
    let seed = 1;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let i = 0; i < 5_000; i++) {
      const key = `k${random(300)}`;
      if (expected.delete(key)) {
        order.remove(key);
      } else {
        expected.add(key);
        order.add(key);
      }
      if (i % 97 === 0)
        expect([...order.startingWith('k1')]).toEqual([...expected].filter((k) => k.startsWith('k1')).sort());
    }

    expect([...order.startingWith('')]).toEqual([...expected].sort());
  });

  it('lets a listing under way keep what it began with', () => {
    const order = new KeyOrder();
    for (const key of ['a', 'c']) order.add(key);
    const listing = order.startingWith('');
    expect(listing.next().value).toBe('a');
    order.add('b');
    expect([...order.startingWith('')]).toEqual(['a', 'b', 'c']);

    expect(listing.next().value).toBe('c');
  });
});
