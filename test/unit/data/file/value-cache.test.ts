import { describe, expect, it } from 'vitest';
import { ValueCache } from '../../../../lib/data/file/value-cache.js';

describe('ValueCache', () => {
  it('keeps what was used last, within its limit', () => {
    const cache = new ValueCache(10_000);
    for (let n = 0; n < 50; n++) {
      cache.set(`k${n}`, 'x'.repeat(100));
      cache.get('k0');
    }

    const kept = Array.from({ length: 50 }, (_, n) => n).filter((n) => cache.peek(`k${n}`) !== undefined);
    expect(kept).toContain(0);
    expect(kept).toContain(49);
    expect(kept.length).toBeGreaterThan(20);
    // Each takes 200 bytes, and what the entry itself takes.
    expect(kept.length).toBeLessThanOrEqual(33);
  });

  it('keeps nothing that is larger than all of it, nor what was deleted', () => {
    const cache = new ValueCache(1_000);
    cache.set('a', 'x');
    cache.set('b', 'x'.repeat(1_000));
    cache.delete('a');

    expect([cache.get('a'), cache.get('b')]).toEqual([undefined, undefined]);
  });

  it('keeps nothing with a limit of 0', () => {
    const cache = new ValueCache(0);
    cache.set('a', '');

    expect(cache.get('a')).toBeUndefined();
  });
});
