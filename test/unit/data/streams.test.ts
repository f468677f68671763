import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { serializeValue } from '../../../lib/data/port/value.js';
import { explained } from '../../support/explained.js';

describe('a value whose content is not JSON', () => {
  it.each([
    ['a Blob', () => new Blob(['x'])],
    ['a File', () => new File(['x'], 'x')],
    ['a Readable', () => Readable.from(['x'])],
    ['a ReadableStream', () => new ReadableStream()],
    ['a FormData', () => new FormData()],
    ['a Response', () => new Response('x')],
    ['an URLSearchParams', () => new URLSearchParams('a=b')],
  ])('is refused, and named: %s', (name, make) => {
    expect(() => serializeValue('k', { file: make() })).toThrow(
      explained(`value.file is ${name}; expected a plain object or an array`),
    );
  });
});
