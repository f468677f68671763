import { describe, expect, it } from 'vitest';
import { KeyOrder } from '../../../../lib/data/file/key-order.js';

function setUp(keys: Iterable<string> = []) {
  const all = new Set(keys);
  const order = new KeyOrder(() => all);
  const add = (key: string): void => {
    all.add(key);
    order.add(key);
  };
  const remove = (key: string): void => {
    all.delete(key);
    order.remove(key);
  };
  return { all, order, add, remove };
}

describe('KeyOrder', () => {
  it('agrees with a sorted list through adds and removes', async () => {
    const { all, order, add, remove } = setUp();
    let seed = 1;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let i = 0; i < 5_000; i++) {
      const key = `k${random(300)}`;
      if (all.has(key)) remove(key);
      else add(key);
      if (i % 97 !== 0) continue;
      expect([...(await order.startingWith('k1'))]).toEqual([...all].filter((k) => k.startsWith('k1')).sort());
    }

    expect([...(await order.startingWith(''))]).toEqual([...all].sort());
  });

  it('sorts many keys a piece at a time, with what comes and goes meanwhile', async () => {
    const { all, order, add, remove } = setUp(Array.from({ length: 30_000 }, (_, i) => `k${(i * 7_919) % 30_000}`));

    const sorting = order.startingWith('');
    add('a');
    remove('k5');

    expect([...(await sorting)]).toEqual([...all].sort());
  });

  it('lets a listing under way keep what it began with', async () => {
    const { order, add } = setUp(['a', 'c']);
    const listing = (await order.startingWith(''))[Symbol.iterator]();
    expect(listing.next().value).toBe('a');
    add('b');
    expect([...(await order.startingWith(''))]).toEqual(['a', 'b', 'c']);

    expect(listing.next().value).toBe('c');
  });
});
