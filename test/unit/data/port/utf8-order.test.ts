import { describe, expect, it } from 'vitest';
import { compareUtf8, endOfPrefix } from '../../../../lib/data/port/utf8-order.js';

const samples = [
  '',
  'a',
  'aa',
  'b',
  '\u007f',
  '\u0080',
  '\ud7ff',
  '\ue000',
  '\ufffd',
  '\uffff',
  '\u{10000}',
  '\u{1F600}',
];
samples.push('\u{1F600}a', '\u{1F601}', '\u{10FFFF}', 'a\u{1F600}', 'a\uffff');

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe('compareUtf8', () => {
  it('orders any two strings as their bytes', () => {
    for (const a of samples) {
      for (const b of samples) expect([a, b, Math.sign(compareUtf8(a, b))]).toEqual([a, b, bytewise(a, b)]);
    }
  });
});

describe('endOfPrefix', () => {
  it('parts what begins with the prefix from what does not', () => {
    for (const prefix of samples) {
      const end = endOfPrefix(prefix);
      for (const key of samples) {
        const inRange = bytewise(key, prefix) >= 0 && (end === undefined || bytewise(key, end) < 0);
        expect([prefix, key, inRange]).toEqual([prefix, key, key.startsWith(prefix)]);
      }
    }
  });

  it.each([
    ['', undefined],
    ['ab', 'ac'],
    ['\ud7ff', '\ue000'],
    ['\uffff', '\u{10000}'],
    ['a\u{10FFFF}', 'b'],
    ['\u{10FFFF}\u{10FFFF}', undefined],
  ])('of %j is %j', (prefix, end) => {
    expect(endOfPrefix(prefix)).toBe(end);
  });
});
