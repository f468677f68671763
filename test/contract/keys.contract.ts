import { describe, expect, it } from 'vitest';
import { pick, seededRandom } from '../support/seeded-random.js';
import type { Scene } from './data-service.scene.js';

/** What a collation, a padded comparison or a normal form would take for one key. */
const ALIKE = ['a', 'A', 'a ', 'a  ', ' a', 'á', 'a\u0301', 'ａ', 'ß', 'ss', 'ſ', 's', 'İ', 'i', 'a\u200b', 'a\u00ad'];

/** Characters of 1 to 4 bytes, those at the edges of the ranges among them. */
const CHARACTERS = [
  ...['\u0001', ' ', '%', '_', '/', '0', 'A', 'a', '\\', "'", '"', '\u007f'],
  ...['\u0080', 'ä', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\ufffd', '\uffff'],
  ...['\u{10000}', '\u{1F600}', '\u{1FFFF}', '\u{10FFFF}'],
];

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Keys are bytes: which are equal, which comes first, and which begin with which. */
export function keysContract(scene: Scene): void {
  describe('keys', () => {
    it('are others as soon as a byte differs', async () => {
      for (const [i, key] of ALIKE.entries()) await scene.data.put(key, i, { ifVersion: null });

      for (const [i, key] of ALIKE.entries()) expect(await scene.data.get(key)).toBe(i);
      expect(await scene.keys()).toEqual(ALIKE.toSorted(bytewise));
      expect(await scene.data.delete('a')).toBe(true);
      expect(await scene.keys()).toEqual(ALIKE.filter((key) => key !== 'a').toSorted(bytewise));
    });

    it('may have 512 bytes, of which the last may make the difference', async () => {
      const keys = ['x'.repeat(511), '\u{1F600}'.repeat(127) + 'abc'].flatMap((text) => [text + 'a', text + 'b']);
      for (const [i, key] of keys.entries()) await scene.data.put(key, i);

      for (const [i, key] of keys.entries()) expect(await scene.data.get(key)).toBe(i);
      expect(await scene.keys()).toEqual(keys.toSorted(bytewise));
    });

    it.each([1, 2, 3])(
      'come in byte order, and each prefix is a range of them, whatever they are (%i)',
      async (seed) => {
        const random = seededRandom(seed);
        const text = (most: number): string =>
          Array.from({ length: 1 + pick(random, most) }, () => CHARACTERS[pick(random, CHARACTERS.length)]).join('');
        const keys = new Set(Array.from({ length: 150 }, () => text(4)));
        await Promise.all([...keys].map((key) => scene.data.put(key, key)));
        const sorted = [...keys].sort(bytewise);

        expect(await scene.keys()).toEqual(sorted);
        for (const prefix of [...CHARACTERS, ...Array.from({ length: 20 }, () => text(2))]) {
          expect(await scene.keys({ prefix })).toEqual(sorted.filter((key) => key.startsWith(prefix)));
        }
      },
    );
  });
}
