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

    it('lose no increment of those that read, add and try again', async () => {
      const increment = async (): Promise<void> => {
        for (;;) {
          const found = await scene.data.entry<number>('n');
          try {
            return await scene.data.put('n', (found?.value ?? 0) + 1, { ifVersion: found?.version ?? null });
          } catch (error) {
            if (!(error instanceof DataConflictException)) throw error;
          }
        }
      };
      await Promise.all(Array.from({ length: 25 }, increment));

      expect(await scene.data.get('n')).toBe(25);
    });

    it.each(['', 'x', '\u{1F600}', "' OR 1=1", 'ffffffffffffffffffffffffffff'])(
      'that nobody gave out match nothing, and do no harm: %j',
      async (ifVersion) => {
        await scene.data.put('a', 1);

        await expect(scene.data.put('a', 2, { ifVersion })).rejects.toThrow(DataConflictException);
        await scene.data.put('a', 3);
        expect(await scene.data.get('a')).toBe(3);
      },
    );

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
