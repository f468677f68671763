import { describe, expect, it } from 'vitest';
import { keyOf } from '../../../lib/kernel/key-of.js';
import { TestEnvironment } from '../../support/test-environment.js';

const ask = (key: ((...args: unknown[]) => unknown) | undefined, ...args: unknown[]) => {
  const environment = new TestEnvironment();
  return { key: keyOf(environment, 'place', key, args), reports: environment.reports };
};

describe('keyOf', () => {
  it.each([
    ['a', 'a'],
    ['', ''],
    [7, '7'],
    [0, '0'],
    [false, 'false'],
    [10n, '10'],
  ])('takes %s by its text', (value, key) => {
    expect(ask((given) => given, value)).toEqual({ key, reports: [] });
  });

  it('is none where there is none', () => {
    expect(ask(undefined)).toEqual({ key: undefined, reports: [] });
    expect(ask(() => undefined)).toEqual({ key: undefined, reports: [] });
  });

  it.each([[{ id: 1 }], [null], [['a']], [Symbol('a')], [Promise.resolve('a')]])('reports %o, and is none', (value) => {
    expect(ask((given) => given, value)).toEqual({
      key: undefined,
      reports: [{ place: 'place', error: expect.any(TypeError) }],
    });
  });

  it('reports what the function throws, and is none', () => {
    const error = new Error('no');
    const thrower = () => {
      throw error;
    };

    expect(ask(thrower)).toEqual({ key: undefined, reports: [{ place: 'place', error }] });
  });

  it('keeps a key of up to 512 bytes as it is, and of a longer one a hash', () => {
    const text = (given: unknown) => given;
    for (const short of ['x'.repeat(512), 'é'.repeat(256), '日'.repeat(170)])
      expect(ask(text, short)).toEqual({ key: short, reports: [] });
    const long = ['x'.repeat(513), 'é'.repeat(257), '日'.repeat(171), '\ud800'.repeat(171), '\ud801'.repeat(171)];
    const keys = [...long, 10n ** 600n].map((one) => ask(text, one).key as string);

    for (const key of keys) expect(key).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(new Set(keys).size).toBe(keys.length);
    expect(ask(text, long[0]).key).toBe(keys[0]);
  });
});
