import { describe, expect, it } from 'vitest';
import { KeyTurns } from '../../../../lib/data/port/key-turns.js';
import { settle } from '../../../support/settle.js';

/** Work that ends when the test says so. */
function setUp() {
  const turns = new KeyTurns();
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (name: string, key: string, signal?: AbortSignal): Promise<void> =>
    turns.run(key, signal, () => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    });
  return { begun, run, end: (name: string) => ends.get(name)?.() };
}

describe('KeyTurns', () => {
  it('runs what changes one key in order, and other keys meanwhile', async () => {
    const { begun, run, end } = setUp();
    const all = [run('a1', 'a'), run('a2', 'a'), run('b1', 'b')];
    await settle();
    expect(begun).toEqual(['a1', 'b1']);

    end('a1');
    await settle();

    expect(begun).toEqual(['a1', 'b1', 'a2']);
    end('a2');
    end('b1');
    await Promise.all(all);
  });

  it('lets nobody overtake when one that waits gives up', async () => {
    const { begun, run, end } = setUp();
    const controller = new AbortController();
    const first = run('1', 'a');
    const second = run('2', 'a', controller.signal);
    const third = run('3', 'a');

    controller.abort(new Error('no'));
    await expect(second).rejects.toThrow('no');
    await settle();
    expect(begun).toEqual(['1']);

    end('1');
    await settle();
    expect(begun).toEqual(['1', '3']);
    end('3');
    await Promise.all([first, third]);
  });
});
