import { describe, expect, it } from 'vitest';
import { DataKeyException } from '../../../../lib/data/port/errors.js';
import { checkKey, checkPrefix } from '../../../../lib/data/port/key.js';
import { explained } from '../../../support/explained.js';

describe('checkKey', () => {
  it.each(['a', ' ', '%_', '\u{1F600}', '\uFFFD', 'x'.repeat(512), '\u{1F600}'.repeat(128)])('accepts %j', (key) => {
    expect(() => checkKey(key)).not.toThrow();
  });

  it.each([
    ['', '"" is empty'],
    ['a\0', '"a\\u0000" contains a NUL'],
    ['\ud83d', 'contains a lone surrogate'],
    ['\ude00\ud83d', 'contains a lone surrogate'],
    ['x'.repeat(513), 'is 513 bytes long'],
    ['\u{1F600}'.repeat(128) + 'x', 'is 513 bytes long'],
    [7, '7 is not a string'],
    [null, 'null is not a string'],
    [undefined, 'undefined is not a string'],
    [Symbol('s'), 'Symbol(s) is not a string'],
    [new String('a'), 'a String is not a string'],
  ])('refuses %j and says what was expected', (key, problem) => {
    expect(() => checkKey(key)).toThrow(DataKeyException);
    expect(() => checkKey(key)).toThrow(explained(problem));
    expect(() => checkKey(key)).toThrow(
      explained(/expected a well-formed string without NUL, of at most 512 bytes of UTF-8$/),
    );
  });

  it('shows only the beginning of a long key', () => {
    expect(() => checkKey('x'.repeat(100_000))).toThrow(
      explained(`The data key "${'x'.repeat(60)}"... is 100000 bytes long`),
    );
  });
});

describe('checkPrefix', () => {
  it('accepts the empty one', () => {
    expect(() => checkPrefix('')).not.toThrow();
  });

  it('refuses what no key can begin with', () => {
    expect(() => checkPrefix('a\0')).toThrow(explained('The data prefix "a\\u0000" contains a NUL'));
  });
});
