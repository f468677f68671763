import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { compareWrites } from '../../../../lib/cli/data/compare-writes.js';
import { copyWrites, type CopyOptions } from '../../../../lib/cli/data/copy-writes.js';
import type { DataWrite } from '../../../../lib/data/port/replicable-data.service.js';
import { MemoryDataService } from '../../../support/memory-data.service.js';

const OPTIONS: CopyOptions = { prefix: '', parallel: 4 };

async function filled(entries: Readonly<Record<string, unknown>>): Promise<MemoryDataService> {
  const store = new MemoryDataService();
  for (const [key, value] of Object.entries(entries)) await store.put(key, value);
  return store;
}

async function differencesOf(source: MemoryDataService, target: MemoryDataService): Promise<string[]> {
  const found: string[] = [];
  await compareWrites(source, target, { onDifference: (key, difference) => found.push(`${key}: ${difference}`) });
  return found;
}

describe('a copy', () => {
  it('brings values and deletes under their versions, whatever their keys', async () => {
    const keys = ['a', 'a/1', 'b', '\u{1f600}', '\uffff', 'é', 'A', ' ', '%_'];
    const source = await filled(Object.fromEntries(keys.map((key) => [key, { key }])));
    await source.delete('b');
    await source.delete('never-there');
    const target = new MemoryDataService();

    const result = await copyWrites(source, target, OPTIONS);

    expect(result).toMatchObject({ copied: 10, present: 0 });
    expect(new Map([...target.store].sort())).toEqual(new Map([...source.store].sort()));
  });

  it('goes on where it was cut off, and copies only what is missing', async () => {
    const source = await filled({ a: 1, b: 2, c: 3, d: 4 });
    const target = new MemoryDataService();
    const interruption = new AbortController();
    const onWrite = ({ key }: DataWrite): void => {
      if (key === 'b') interruption.abort(new Error('stopped'));
    };

    const cut = copyWrites(source, target, { prefix: '', parallel: 1, onWrite, signal: interruption.signal });
    await expect(cut).rejects.toThrow('stopped');
    const kept = target.store.size;
    const { copied, present } = await copyWrites(source, target, OPTIONS);

    expect(kept).toBeGreaterThanOrEqual(2);
    expect(kept).toBeLessThan(4);
    expect({ copied, present }).toEqual({ copied: 4 - kept, present: kept });
    expect(await differencesOf(source, target)).toEqual([]);
  });

  it('brings what has changed since the last one, and never undoes what is newer', async () => {
    const source = await filled({ a: 1, b: 2, c: 3 });
    const target = new MemoryDataService(() => Date.now() + 3_600_000);
    await copyWrites(source, target, OPTIONS);
    await source.put('a', 'later');
    await source.delete('b');
    await target.put('c', 'newest');

    const { copied, present } = await copyWrites(source, target, OPTIONS);

    expect({ copied, present }).toEqual({ copied: 2, present: 1 });
    expect(await target.get('a')).toBe('later');
    expect(await target.get('b')).toBeUndefined();
    expect(await target.get('c')).toBe('newest');
    expect(await differencesOf(source, target)).toEqual(['c: written in the target later than in the source']);
  });

  it('removes what only the target has, when it is told to', async () => {
    const source = await filled({ 'orders/1': 1, 'orders/2': 2, 'orders/3': 3 });
    const target = await filled({ 'users/1': 'stays' });
    await copyWrites(source, target, OPTIONS);
    source.store.delete('orders/2');

    const left = await copyWrites(source, target, { ...OPTIONS, prefix: 'orders/' });
    const pruned = await copyWrites(source, target, { ...OPTIONS, prefix: 'orders/', prune: true });

    expect([left.pruned, pruned.pruned]).toEqual([0, 1]);
    expect([...target.store.keys()].sort()).toEqual(['orders/1', 'orders/3', 'users/1']);
  });

  it('takes only the keys below a prefix', async () => {
    const source = await filled({ 'orders/1': 1, 'orders/2': 2, 'users/1': 3 });
    const target = new MemoryDataService();

    await copyWrites(source, target, { ...OPTIONS, prefix: 'orders/' });

    expect([...target.store.keys()]).toEqual(['orders/1', 'orders/2']);
  });

  it('has no more writes under way than were asked for', async () => {
    let [running, most] = [0, 0];
    class Counting extends MemoryDataService {
      override async apply(write: DataWrite): Promise<string> {
        most = Math.max(most, ++running);
        try {
          // Slower than the reading.
          for (let turn = 0; turn < 5; turn++) await nextTurn();
          return await super.apply(write);
        } finally {
          running -= 1;
        }
      }
    }
    const source = await filled(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`key${i}`, i])));

    await copyWrites(source, new Counting(), { prefix: '', parallel: 3 });

    expect(most).toBe(3);
    expect(running).toBe(0);
  });

  it('reads no further ahead than it has written', async () => {
    const source = new MemoryDataService();
    const target = new MemoryDataService();
    let [read, written, furthest] = [0, 0, 0];
    Object.assign(source, {
      async *writes() {
        for (; read < 1_000; read++) {
          furthest = Math.max(furthest, read - written);
          yield { key: String(read).padStart(4, '0'), text: '1', version: '1' };
        }
      },
    });

    await copyWrites(source, target, { prefix: '', parallel: 8, onWrite: () => (written += 1) });

    expect(written).toBe(1_000);
    expect(furthest).toBeLessThanOrEqual(9);
  });

  it('ends with the first failure once nothing is under way', async () => {
    let running = 0;
    class Failing extends MemoryDataService {
      override async apply(write: DataWrite): Promise<string> {
        running += 1;
        try {
          if (write.key === 'b') throw new Error('disk full');
          return await super.apply(write);
        } finally {
          running -= 1;
        }
      }
    }
    const source = await filled({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 });

    await expect(copyWrites(source, new Failing(), { prefix: '', parallel: 2 })).rejects.toThrow('disk full');

    expect(running).toBe(0);
  });
});

describe('the digest of a copy', () => {
  it('is that of the comparison, unless the source has changed', async () => {
    const source = await filled({ a: 1, b: 2, c: 3 });
    const target = new MemoryDataService();
    const compared = async (): Promise<string> => (await compareWrites(source, target, { onDifference() {} })).digest;

    const { digest } = await copyWrites(source, target, OPTIONS);

    expect(await compared()).toBe(digest);
    await source.forget('nothing', '');
    await source.delete('nothing');
    expect(await compared()).toBe(digest);
    await source.put('b', 2);
    expect(await compared()).not.toBe(digest);
  });

  it('shows a delete', async () => {
    const source = await filled({ a: 1, b: 2 });
    const before = await copyWrites(source, new MemoryDataService(), OPTIONS);
    await source.delete('b');

    const after = await copyWrites(source, new MemoryDataService(), OPTIONS);

    expect(after.digest).not.toBe(before.digest);
  });
});

describe('a comparison', () => {
  it('names each key in which two stores differ, and how', async () => {
    const source = await filled({ same: 1, missing: 2, other: 3, deletedThere: 4, deletedHere: 5 });
    const target = new MemoryDataService(() => Date.now() + 3_600_000);
    await copyWrites(source, target, OPTIONS);
    const other = target.store.get('other') as DataWrite;
    target.store.set('other', { ...other, text: '4' });
    target.store.delete('missing');
    await target.put('surplus', 1);
    await target.delete('deletedThere');
    await source.delete('deletedHere');

    expect(await differencesOf(source, target)).toEqual([
      'deletedHere: deleted in the source later than in the target',
      'deletedThere: deleted in the target later than in the source',
      'missing: only in the source',
      'other: another value under the same version',
      'surplus: only in the target',
    ]);
  });

  it('takes a forgotten delete for none', async () => {
    const source = await filled({ a: 1 });
    const target = new MemoryDataService();
    await copyWrites(source, target, OPTIONS);
    await source.delete('gone');

    expect(await differencesOf(source, target)).toEqual([]);
  });
});
