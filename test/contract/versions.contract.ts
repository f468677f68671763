import { DataConflictException } from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import type { Scene } from './data-service.scene.js';

/** Writes that depend on what was read. */
export function versionsContract(scene: Scene): void {
  describe('versions', () => {
    it('change with every put, and are kept by reads', async () => {
      await scene.data.put('a', 1);
      const first = await scene.data.entry('a');
      await scene.data.put('a', 1);
      const second = await scene.data.entry('a');

      expect(first?.value).toBe(1);
      expect(second?.version).not.toBe(first?.version);
      expect(await scene.data.entry('a')).toEqual(second);
    });

    it('guard a put', async () => {
      await scene.data.put('a', 1, { ifVersion: null });
      const { version } = (await scene.data.entry('a'))!;
      await scene.data.put('a', 2, { ifVersion: version });

      await expect(scene.data.put('a', 3, { ifVersion: version })).rejects.toThrow(DataConflictException);
      await expect(scene.data.put('a', 3, { ifVersion: null })).rejects.toMatchObject({
        code: 'DATA_CONFLICT',
        key: 'a',
      });
      await expect(scene.data.put('b', 3, { ifVersion: version })).rejects.toThrow(DataConflictException);
      expect(await scene.collect()).toEqual([['a', 2]]);
    });

    it('never come back after a delete', async () => {
      await scene.data.put('a', 1);
      const { version } = (await scene.data.entry('a'))!;
      await scene.data.delete('a');
      await scene.data.put('a', 1);

      await expect(scene.data.put('a', 2, { ifVersion: version })).rejects.toThrow(DataConflictException);
    });

    it.each(['absent', 'present'])('let exactly one of 10 concurrent writers win: %s', async (start) => {
      if (start === 'present') await scene.data.put('a', 'before');
      const ifVersion = (await scene.data.entry('a'))?.version ?? null;
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, i) => scene.data.put('a', i, { ifVersion })),
      );

      const winners = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
      expect(winners.length).toBe(1);
      expect(await scene.data.get('a')).toBe(winners[0]);
    });
  });
}
