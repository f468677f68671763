import { DataKeyException, DataValueException } from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import type { Scene } from './data-service.scene.js';
import { explained } from '../support/explained.js';

/** Keys, values, and what is refused as such. */
export function valuesContract(scene: Scene): void {
  describe('get, put, delete', () => {
    it('gives what was put last', async () => {
      await scene.data.put('a', 1);
      await scene.data.put('a', { b: [true, null, 'x', 1.5] });

      expect(await scene.data.get('a')).toEqual({ b: [true, null, 'x', 1.5] });
    });

    it.each([[null], [false], [0], [''], [[]], [{}], ['\u0000\ud83d\ude00\ud800\u2028\t\n'], [{ ['__proto__']: 1 }]])(
      'gives %j back as it was',
      async (value) => {
        await scene.data.put('a', value);

        expect(await scene.data.get('a')).toStrictEqual(value);
      },
    );

    it('keeps the text as it is: order of properties, digits, escapes', async () => {
      const value = {
        b: 1,
        a: [0.1 + 0.2, 1e21, 5e-324, 2 ** 53],
        'with "quotes"': "\\ ' \" ` \\' \r\n \u2028 \u0000",
      };
      await scene.data.put('a', value);

      expect(JSON.stringify(await scene.data.get('a'))).toBe(JSON.stringify(value));
    });

    it.each(['\\', "'", '"', '\n', '\u0001', 'ä', '\u{1F600}'])('keeps 1 MiB of %j', async (character) => {
      const perCharacter = Buffer.byteLength(JSON.stringify(character)) - 2;
      const value = character.repeat(Math.floor((1024 * 1024 - 2) / perCharacter));
      await scene.data.put('a', value);

      expect((await scene.data.get('a')) === value).toBe(true);
      expect((await scene.collect())[0]?.[1] === value).toBe(true);
    });

    it('has nothing under a key that was never put', async () => {
      expect(await scene.data.get('a')).toBeUndefined();
      expect(await scene.data.entry('a')).toBeUndefined();
    });

    it('says whether a deleted key was there', async () => {
      await scene.data.put('a', 1);

      expect(await scene.data.delete('a')).toBe(true);
      expect(await scene.data.delete('a')).toBe(false);
      expect(await scene.data.get('a')).toBeUndefined();
    });

    it('gives a fresh copy at every read', async () => {
      await scene.data.put('a', { list: [1] });
      const first = await scene.data.get<{ list: number[] }>('a');
      first?.list.push(2);

      expect(await scene.data.get('a')).toEqual({ list: [1] });
    });

    it('takes the value as it is at the call', async () => {
      const value = { n: 1 };
      const written = scene.data.put('a', value);
      value.n = 2;
      await written;

      expect(await scene.data.get('a')).toEqual({ n: 1 });
    });

    it('keeps 500 concurrent puts', async () => {
      await Promise.all(Array.from({ length: 500 }, (_, i) => scene.data.put(`k${i}`, i)));

      expect((await scene.collect()).length).toBe(500);
      expect(await scene.data.get('k499')).toBe(499);
    });

    it('applies concurrent changes of one key in the order of the calls', async () => {
      const changes = [
        scene.data.put('a', 1),
        scene.data.delete('a'),
        scene.data.put('a', 2),
        scene.data.put('b', 1),
        scene.data.delete('b'),
      ];

      expect(await Promise.all(changes)).toEqual([undefined, true, undefined, undefined, true]);
      expect(await scene.collect()).toEqual([['a', 2]]);
    });
  });

  describe('bad input', () => {
    it.each([
      ['an empty key', ''],
      ['a NUL', 'a\0b'],
      ['a lone high surrogate', 'a\ud800'],
      ['a lone low surrogate', '\udc00a'],
      ['513 bytes', 'é'.repeat(256) + 'x'],
      ['a number', 5 as unknown as string],
      ['no key', undefined as unknown as string],
    ])('is refused as a key: %s', async (_, key) => {
      await expect(scene.data.put(key, 1)).rejects.toThrow(DataKeyException);
      await expect(scene.data.get(key)).rejects.toThrow(DataKeyException);
      await expect(scene.data.entry(key)).rejects.toThrow(DataKeyException);
      await expect(scene.data.delete(key)).rejects.toThrow(DataKeyException);
    });

    it('is refused as a prefix', async () => {
      await expect(scene.keys({ prefix: '\ud800' })).rejects.toThrow(DataKeyException);
      await expect(scene.keys({ prefix: 5 as unknown as string })).rejects.toThrow(DataKeyException);
    });

    const cycle: Record<string, unknown> = {};
    cycle['self'] = { cycle };
    it.each<[string, unknown, string]>([
      ['undefined', undefined, 'value'],
      ['NaN', { items: [{}, {}, { price: NaN }] }, 'value.items[2].price'],
      ['Infinity', [-Infinity], 'value[0]'],
      ['a BigInt', { n: 1n }, 'value.n'],
      ['undefined in an object', { a: { b: undefined } }, 'value.a.b'],
      ['undefined in an array', { a: [1, undefined] }, 'value.a[1]'],
      ['a function', { 'on click': () => 1 }, 'value["on click"]'],
      ['a symbol', [[Symbol('s')]], 'value[0][0]'],
      ['a Map', { m: new Map() }, 'value.m'],
      ['a Set', new Set(), 'value'],
      ['a cycle', cycle, 'value.self.cycle'],
    ])('is refused as a value, with its path, and what was there stays: %s', async (_, value, path) => {
      await scene.data.put('a', 'before');

      await expect(scene.data.put('a', value)).rejects.toThrow(DataValueException);
      await expect(scene.data.put('a', value)).rejects.toMatchObject({ code: 'DATA_INVALID_VALUE', path });
      expect(await scene.data.get('a')).toBe('before');
    });

    it('is refused as ifVersion', async () => {
      await expect(scene.data.put('a', 1, { ifVersion: 1 as unknown as string })).rejects.toThrow(
        explained('ifVersion'),
      );
    });

    it('ends at exactly 512 bytes of key and 1 MiB of value', async () => {
      const key = 'é'.repeat(256);
      const value = 'x'.repeat(1024 * 1024 - 2);
      await scene.data.put(key, value);

      expect(await scene.data.get(key)).toBe(value);
      await expect(scene.data.put(key, `${value}x`)).rejects.toThrow(
        explained('1048577 bytes of JSON; expected at most 1048576'),
      );
      expect(await scene.data.get(key)).toBe(value);
    });
  });
}
