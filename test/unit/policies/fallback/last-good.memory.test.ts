import { describe, expect, it } from 'vitest';
import { LastGoodMemory, MOST_ANSWERS } from '../../../../lib/policies/fallback/last-good.memory.js';

/** A memory without room for another key, `key-0` the oldest. */
function full(): LastGoodMemory {
  const memory = new LastGoodMemory();
  for (let i = 0; i < MOST_ANSWERS; i++) memory.put(`key-${i}`, { value: i, at: 0 });
  return memory;
}

const one = { value: 'one', at: 1 };

describe('LastGoodMemory', () => {
  it('gives the newest answer of a key, as often as it is asked', () => {
    const memory = new LastGoodMemory();
    memory.put('eur', { value: 'older', at: 0 });
    memory.put('eur', one);

    expect(memory.get('eur')).toBe(one);
    expect(memory.get('eur')).toBe(one);
    expect(memory.get('usd')).toBeUndefined();
    expect(memory.size).toBe(1);
  });

  it('keeps as many keys as it has room for, and of more those that were used last', () => {
    const memory = full();
    expect(memory.size).toBe(MOST_ANSWERS);
    expect(memory.get('key-1')?.value).toBe(1);
    memory.put('key-2', one);
    for (const key of ['a', 'b', 'c']) memory.put(key, one);

    expect(memory.size).toBe(MOST_ANSWERS);
    for (const gone of ['key-0', 'key-3', 'key-4']) expect(memory.get(gone)).toBeUndefined();
    for (const kept of ['key-1', 'key-2', 'key-5', 'a', 'b', 'c']) expect(memory.get(kept)).toBeDefined();
  });

  it('stays within its bound, and keeps what is used often, however many come', () => {
    const memory = full();
    for (let i = 0; i < 2 * MOST_ANSWERS; i++) {
      memory.put(`later-${i}`, { value: i, at: 0 });
      if (i % 1_000 === 0) memory.get('key-9999');
    }

    expect(memory.size).toBe(MOST_ANSWERS);
    expect(memory.get('key-9999')?.value).toBe(9_999);
    expect(memory.get('key-9998')).toBeUndefined();
    expect(memory.get(`later-${2 * MOST_ANSWERS - 1}`)).toBeDefined();
  });

  it('takes no room for a key that is asked for and not known', () => {
    const memory = full();
    memory.get('unknown');

    expect(memory.size).toBe(MOST_ANSWERS);
    expect(memory.get('key-0')).toBeDefined();
  });
});
