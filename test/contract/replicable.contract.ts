import type { DataWrite, ReplicableDataService } from 'nestjs-bulwark/data';
import { DataConflictException, DataKeyException } from 'nestjs-bulwark/data';
import { expect, describe, it } from 'vitest';
import { VersionClock } from '../../lib/data/port/version-clock.js';
import type { Scene } from './data-service.scene.js';

/** Writes that come from another store, in any order and repeatedly. */
export function replicableContract(scene: Scene): void {
  const replica = (): ReplicableDataService => scene.data as ReplicableDataService;

  /** Writes of the key `a` with the values 0, 1, 2, ..., each under a later version. */
  function writesOfA(count: number, deleted = -1): DataWrite[] {
    const clock = new VersionClock();
    return Array.from({ length: count }, (_, i) => ({
      key: 'a',
      text: i === deleted ? undefined : String(i),
      version: clock.next(),
    }));
  }

  async function allWrites(prefix?: string): Promise<DataWrite[]> {
    const all: DataWrite[] = [];
    for await (const write of replica().writes({ prefix })) all.push(write);
    return all;
  }

  describe('writes from another store', () => {
    it('keep their version, and can be read as any other', async () => {
      const [write] = writesOfA(1) as [DataWrite];

      expect(await replica().apply(write)).toBe(write.version);
      expect(await replica().entry('a')).toEqual({ value: 0, version: write.version });
      expect(await replica().lastWrite('a')).toEqual(write);
    });

    it('leave what is newer, whatever order they come in', async () => {
      const [first, second, third] = writesOfA(3) as [DataWrite, DataWrite, DataWrite];

      expect(await replica().apply(second)).toBe(second.version);
      expect(await replica().apply(first)).toBe(second.version);
      expect(await replica().get('a')).toBe(1);
      expect(await replica().apply(third)).toBe(third.version);
      expect(await replica().apply(third)).toBe(third.version);
      expect(await replica().apply(second)).toBe(third.version);
      expect(await replica().get('a')).toBe(2);
    });

    it('end alike when many come at once', async () => {
      const writes = writesOfA(20);
      const shuffled = writes.map((write, i) => writes[(i * 7) % 20] ?? write);
      await Promise.all([...shuffled, ...writes].map((write) => replica().apply(write)));

      expect(await replica().lastWrite('a')).toEqual(writes[19]);
    });

    it('delete a key by a tombstone that nothing older passes', async () => {
      const [first, deletion, last] = writesOfA(3, 1) as [DataWrite, DataWrite, DataWrite];
      await replica().apply(first);

      expect(await replica().apply(deletion)).toBe(deletion.version);
      expect(await replica().apply(first)).toBe(deletion.version);
      expect(await replica().get('a')).toBeUndefined();
      expect(await replica().entry('a')).toBeUndefined();
      expect(await scene.keys()).toEqual([]);
      expect(await replica().lastWrite('a')).toEqual(deletion);
      expect(await replica().apply(last)).toBe(last.version);
      expect(await scene.collect()).toEqual([['a', 2]]);
    });

    it('delete a key that was never there', async () => {
      const [deletion] = writesOfA(1, 0) as [DataWrite];

      expect(await replica().apply(deletion)).toBe(deletion.version);
      expect(await replica().lastWrite('a')).toEqual(deletion);
    });

    it('may expect a version', async () => {
      const [first, second, third] = writesOfA(3) as [DataWrite, DataWrite, DataWrite];
      await expect(replica().apply(second, { ifVersion: first.version })).rejects.toThrow(DataConflictException);
      await replica().apply(first, { ifVersion: null });

      await expect(replica().apply(second, { ifVersion: null })).rejects.toMatchObject({ code: 'DATA_CONFLICT' });
      expect(await replica().apply(second, { ifVersion: first.version })).toBe(second.version);
      await expect(replica().apply(third, { ifVersion: first.version })).rejects.toThrow(DataConflictException);
      expect(await replica().lastWrite('a')).toEqual(second);
    });

    it('may be repeated although what they expected is gone by their own doing', async () => {
      const [first, second] = writesOfA(2) as [DataWrite, DataWrite];
      for (let i = 0; i < 2; i++) expect(await replica().apply(first, { ifVersion: null })).toBe(first.version);
      for (let i = 0; i < 2; i++) {
        expect(await replica().apply(second, { ifVersion: first.version })).toBe(second.version);
      }

      expect(await replica().lastWrite('a')).toEqual(second);
    });

    it('find no value where the key was deleted', async () => {
      const [deletion, write] = writesOfA(2, 0) as [DataWrite, DataWrite];
      await replica().apply(deletion);

      await expect(replica().apply(write, { ifVersion: deletion.version })).rejects.toThrow(DataConflictException);
      expect(await replica().apply(write, { ifVersion: null })).toBe(write.version);
    });

    it('are older than a plain put or delete that comes later, even from a clock that is ahead', async () => {
      const ahead = new VersionClock(() => Date.now() + 3_600_000);
      const [first, second] = [ahead.next(), ahead.next()];
      await replica().apply({ key: 'a', text: '1', version: first });
      await replica().put('a', 2);
      const entry = await replica().entry('a');

      expect(entry?.value).toBe(2);
      expect(entry!.version > first).toBe(true);
      await replica().put('a', 3, { ifVersion: entry!.version });
      await replica().apply({ key: 'b', text: undefined, version: second });
      await replica().put('b', 4, { ifVersion: null });
      expect(await scene.collect()).toEqual([
        ['a', 3],
        ['b', 4],
      ]);
    });

    it('are all told, deletes too, in byte order of the key', async () => {
      const clock = new VersionClock();
      const keys = ['\u{1F600}', '\uFFFD', 'b', 'a'];
      const writes = keys.map((key, i) => ({ key, text: i % 2 ? undefined : `"${i}"`, version: clock.next() }));
      for (const write of writes) await replica().apply(write);

      expect(await allWrites()).toEqual([writes[3], writes[2], writes[1], writes[0]]);
      expect(await allWrites('b')).toEqual([writes[2]]);
      expect(await scene.keys()).toEqual(['b', '\u{1F600}']);
    });

    it('are forgotten without a trace, unless another one has come', async () => {
      const [first, deletion] = writesOfA(2, 1) as [DataWrite, DataWrite];
      await replica().apply(first);
      await replica().apply(deletion);

      expect(await replica().forget('a', first.version)).toBe(false);
      expect(await replica().lastWrite('a')).toEqual(deletion);
      expect(await replica().forget('a', deletion.version)).toBe(true);
      expect(await replica().forget('a', deletion.version)).toBe(false);
      expect(await replica().lastWrite('a')).toBeUndefined();
      expect(await replica().apply(first)).toBe(first.version);
    });

    it('leave no tombstone after a plain delete', async () => {
      const [deletion] = writesOfA(1, 0) as [DataWrite];
      await replica().apply(deletion);

      expect(await replica().delete('a')).toBe(false);
      expect(await replica().lastWrite('a')).toBeUndefined();
      await replica().put('b', 1);
      expect(await replica().delete('b')).toBe(true);
      expect(await allWrites()).toEqual([]);
    });

    it('are refused under a bad key, and before they start by an aborted signal', async () => {
      const [write] = writesOfA(1) as [DataWrite];
      const signal = AbortSignal.abort('gone');

      await expect(replica().apply({ ...write, key: '' })).rejects.toThrow(DataKeyException);
      await expect(replica().lastWrite('a\0')).rejects.toThrow(DataKeyException);
      await expect(replica().forget('\ud800', write.version)).rejects.toThrow(DataKeyException);
      await expect(replica().apply(write, { signal })).rejects.toBe('gone');
      expect(await allWrites()).toEqual([]);
    });
  });
}
