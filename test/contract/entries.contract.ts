import { describe, expect, it } from 'vitest';
import type { Scene } from './data-service.scene.js';

/** Order, prefixes, and reading while others write. */
export function entriesContract(scene: Scene): void {
  describe('entries', () => {
    it('come in byte order of the key', async () => {
      for (const key of ['\u{1F600}', '\uFFFD', 'b', 'B', 'aa', 'a', 'ä', '\uE000', '\u0001'])
        await scene.data.put(key, 1);

      expect(await scene.keys()).toEqual(['\u0001', 'B', 'a', 'aa', 'b', 'ä', '\uE000', '\uFFFD', '\u{1F600}']);
    });

    it('are limited to a prefix, taken literally', async () => {
      const all = ['%', '%a', '_', '_a', 'a', 'a%', 'aa', 'a_', 'x\u{1F600}', 'x\u{1F600}y', 'x\u{1F601}', 'A'];
      for (const key of all) await scene.data.put(key, 1);

      expect(await scene.keys({ prefix: '%' })).toEqual(['%', '%a']);
      expect(await scene.keys({ prefix: '_' })).toEqual(['_', '_a']);
      expect(await scene.keys({ prefix: 'a' })).toEqual(['a', 'a%', 'a_', 'aa']);
      expect(await scene.keys({ prefix: 'x\u{1F600}' })).toEqual(['x\u{1F600}', 'x\u{1F600}y']);
      expect(await scene.keys({ prefix: 'none' })).toEqual([]);
      expect((await scene.keys({ prefix: '' })).length).toBe(all.length);
    });

    it.each(['\ud7ff', '\u{10FFFF}', 'a\u{10FFFF}\u{10FFFF}', '\uffff'])(
      'are limited to the prefix %j, at the edge of what a range can say',
      async (prefix) => {
        const inside = [prefix, `${prefix}\u0001`, `${prefix}\u{10FFFF}`];
        for (const key of [...inside, '\u0001', '\ue000', '\u{10FFFE}', 'b']) await scene.data.put(key, 1);

        expect(await scene.keys({ prefix })).toEqual(inside);
      },
    );

    it('come exactly once where they are there throughout, while others are written', async () => {
      const name = (i: number): string => `k${String(i).padStart(4, '0')}`;
      await Promise.all(Array.from({ length: 300 }, (_, i) => scene.data.put(name(2 * i), i)));
      const seen: string[] = [];
      for await (const [key] of scene.data.entries()) {
        if (seen.length % 10 === 0) {
          const i = seen.length;
          await Promise.all([scene.data.put(name(2 * i + 1), 'new'), scene.data.put('a', i), scene.data.put('z', i)]);
        }
        seen.push(key);
      }

      const throughout = Array.from({ length: 300 }, (_, i) => name(2 * i));
      expect(throughout.every((key) => seen.includes(key))).toBe(true);
      expect(new Set(seen).size).toBe(seen.length);
    });

    it('come exactly once where they are there throughout, while others around them go', async () => {
      const name = (i: number): string => `k${String(i).padStart(4, '0')}`;
      await Promise.all(Array.from({ length: 300 }, (_, i) => scene.data.put(name(i), i)));
      const seen: string[] = [];
      for await (const [key] of scene.data.entries()) {
        const i = seen.push(key);
        if (i % 20 === 1) {
          const near = [i - 3, i, i + 60, i + 90, 299 - i].map((at) => (at % 300) - (at % 2 ? 0 : 1));
          await Promise.all(near.filter((at) => at > 0).map((at) => scene.data.delete(name(at))));
        }
      }

      const throughout = Array.from({ length: 150 }, (_, i) => name(2 * i));
      expect(throughout.filter((key) => !seen.includes(key))).toEqual([]);
      expect(seen).toEqual([...new Set(seen)].sort());
    });

    it('come with several pages of rows, and only until the reader stops', async () => {
      await Promise.all(Array.from({ length: 200 }, (_, i) => scene.data.put(`k${i}`, i)));
      let count = 0;
      for await (const _ of scene.data.entries()) if (++count === 130) break;

      expect(count).toBe(130);
      expect((await scene.keys()).length).toBe(200);
    });

    it('leave timers their turn', async () => {
      await Promise.all(Array.from({ length: 1_000 }, (_, i) => scene.data.put(`k${i}`, i)));
      let fired = false;
      setTimeout(() => (fired = true), 0);
      await scene.collect();

      expect(fired).toBe(true);
    });
  });
}
