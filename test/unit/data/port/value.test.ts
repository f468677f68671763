import { describe, expect, it } from 'vitest';
import { DataValueException } from '../../../../lib/data/port/errors.js';
import { MAX_VALUE_BYTES, parseValue, serializeValue } from '../../../../lib/data/port/value.js';

class Money {
  constructor(readonly amount: number) {}
}

function caught(value: unknown): DataValueException {
  try {
    serializeValue('k', value);
  } catch (error) {
    if (error instanceof DataValueException) return error;
  }
  throw new Error('expected a DataValueException');
}

describe('serializeValue', () => {
  it.each([
    [null, 'null'],
    [{ a: [1, 'x', { b: true }] }, '{"a":[1,"x",{"b":true}]}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [{ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [{ toJSON: () => ({ n: 1 }) }, '{"n":1}'],
    [Buffer.from('a'), '{"type":"Buffer","data":[97]}'],
    [new Money(5), '{"amount":5}'],
    [new String('boxed'), '"boxed"'],
    [Object.create(null), '{}'],
    ['\ud800', '"\\ud800"'],
  ])('writes %j as JSON.stringify does', (value, text) => {
    expect(serializeValue('k', value)).toBe(text);
    expect(JSON.stringify(value)).toBe(text);
  });

  it.each<[unknown, string, string]>([
    [undefined, 'value', 'undefined; expected a JSON value, such as null'],
    [NaN, 'value', 'NaN; expected a finite number'],
    [{ items: [{}, {}, { price: Infinity }] }, 'value.items[2].price', 'Infinity; expected a finite number'],
    [{ a: -Infinity }, 'value.a', '-Infinity; expected a finite number'],
    [new Number(NaN), 'value', 'NaN; expected a finite number'],
    [{ a: undefined }, 'value.a', 'undefined; expected a JSON value (leave the property out, or use null)'],
    [[1, undefined], 'value[1]', 'undefined; expected a JSON value, such as null'],
    [new Array(1), 'value[0]', 'undefined'],
    [{ n: 10n }, 'value.n', '10n; expected a JSON value'],
    [Object(10n), 'value', '10n; expected a JSON value'],
    [{ 'odd key': () => 1 }, 'value["odd key"]', 'a function; expected a JSON value'],
    [[Symbol('s')], 'value[0]', 'Symbol(s); expected a JSON value'],
    [{ m: new Map() }, 'value.m', 'a Map; expected a plain object or an array'],
    [[[new Set([1])]], 'value[0][0]', 'a Set; expected a plain object or an array'],
    [{ e: new RangeError('x') }, 'value.e', 'a RangeError; expected a plain object or an array'],
    [/x/, 'value', 'a RegExp; expected a plain object or an array'],
    [{ p: Promise.resolve(1) }, 'value.p', 'a Promise; expected a plain object or an array'],
    [new Uint8Array(2), 'value', 'an Uint8Array; expected a plain object or an array'],
    [new ArrayBuffer(2), 'value', 'an ArrayBuffer; expected a plain object or an array'],
    [{ at: new Date(NaN) }, 'value.at', 'an invalid Date; expected a valid date'],
    [{ a: { toJSON: () => undefined } }, 'value.a', 'undefined'],
  ])('refuses %o, naming the path', (value, path, rest) => {
    const error = caught(value);

    expect(error.path).toBe(path);
    expect(error.explanation).toContain(`The data value for the key "k" cannot be stored: ${path} is ${rest}`);
  });

  it('names the path behind parts that are finished', () => {
    expect(caught({ a: { b: [1, 2, { c: 1 }] }, d: [[], [NaN]] }).path).toBe('value.d[1][0]');
  });

  it('refuses cycles, but not an object that comes twice', () => {
    const twice = { n: 1 };
    const cycle: Record<string, unknown> = { a: { b: [] } };
    (cycle['a'] as { b: unknown[] }).b.push(cycle);

    expect(serializeValue('k', [twice, { twice }, twice])).toBe('[{"n":1},{"twice":{"n":1}},{"n":1}]');
    expect(caught(cycle).path).toBe('value.a.b[0]');
    expect(caught(cycle).explanation).toContain('expected a value without cycles');
  });

  it('refuses nesting that the engine cannot write', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];

    expect(caught(deep).explanation).toContain('expected less nesting');
  });

  it('asks a getter or toJSON only once, so that what was checked is what is stored', () => {
    let calls = 0;
    const shifty = {
      get n(): number {
        calls += 1;
        return calls === 1 ? 1 : NaN;
      },
    };

    expect(serializeValue('k', shifty)).toBe('{"n":1}');
  });

  it('lets the error of a getter through as it is', () => {
    const failure = new Error('mine');
    const failing = {
      get n(): never {
        throw failure;
      },
    };

    expect(() => serializeValue('k', failing)).toThrow(failure);
  });

  it('counts the bytes of the text in UTF-8', () => {
    const longest = 'é'.repeat(MAX_VALUE_BYTES / 2 - 1);

    expect(Buffer.byteLength(serializeValue('k', longest))).toBe(MAX_VALUE_BYTES);
    expect(caught(`${longest}x`).explanation).toBe(
      'The data value for the key "k" is 1048577 bytes of JSON; expected at most 1048576',
    );
  });

  it('gives up early on a huge value', () => {
    const visited: number[] = [];
    const part = (i: number): object => ({ toJSON: () => (visited.push(i), 'x'.repeat(100_000)) });
    const huge = Array.from({ length: 1_000 }, (_, i) => part(i));

    expect(caught(huge).explanation).toContain('is more than 1048576 bytes of JSON');
    expect(visited.length).toBeLessThan(20);
  });
});

describe('parseValue', () => {
  it('gives a fresh value at each call', () => {
    const text = serializeValue('k', { a: [] });

    expect(parseValue(text)).toEqual({ a: [] });
    expect(parseValue(text)).not.toBe(parseValue(text));
  });
});
