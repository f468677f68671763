import type { DataService } from 'nestjs-bulwark/data';
import { DataConflictException } from 'nestjs-bulwark/data';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataServiceSubject, Scene } from './data-service.scene.js';

/** Several services on the same data at the same time, as in several processes. */
export function sharedContract(scene: Scene, share: NonNullable<DataServiceSubject['share']>): void {
  describe('another service on the same data', () => {
    let other: DataService;

    beforeEach(async () => {
      other = await share(scene.data);
    });
    afterEach(() => other.close());

    it('sees what was put and deleted', async () => {
      await scene.data.put('a', 1);
      expect(await other.entry('a')).toEqual(await scene.data.entry('a'));
      await other.put('a', 2);
      await other.put('b', 3);
      expect(await scene.collect()).toEqual([
        ['a', 2],
        ['b', 3],
      ]);
      expect(await other.delete('a')).toBe(true);

      expect(await scene.data.get('a')).toBeUndefined();
      expect(await scene.data.delete('a')).toBe(false);
    });

    it('takes part in the race for a version', async () => {
      for (const ifVersion of [null, 'present']) {
        const version = ifVersion && (await scene.data.entry('a'))!.version;
        const outcomes = await Promise.allSettled(
          Array.from({ length: 20 }, (_, i) => (i % 2 ? scene.data : other).put('a', i, { ifVersion: version })),
        );

        expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(DataConflictException);
        }
      }
    });

    it('loses no increment', { timeout: 60_000 }, async () => {
      const increment = async (data: DataService): Promise<void> => {
        for (;;) {
          const found = await data.entry<number>('n');
          try {
            return await data.put('n', (found?.value ?? 0) + 1, { ifVersion: found?.version ?? null });
          } catch (error) {
            if (!(error instanceof DataConflictException)) throw error;
          }
        }
      };
      const writer = async (data: DataService): Promise<void> => {
        for (let i = 0; i < 10; i++) await increment(data);
      };
      await Promise.all([scene.data, other, scene.data, other].map(writer));

      expect(await scene.data.get('n')).toBe(40);
      expect(await other.get('n')).toBe(40);
    });

    it('gives each write a version above those of the other', async () => {
      const versions: string[] = [];
      for (let i = 0; i < 10; i++) {
        await (i % 2 ? scene.data : other).put('a', i);
        versions.push((await other.entry('a'))!.version);
      }

      expect(new Set(versions).size).toBe(10);
    });
  });
}
