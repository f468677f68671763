import { describe, expect, it } from 'vitest';
import { parseFallback } from '../../../../lib/policies/fallback/fallback.options.js';
import { isStore } from '../../../../lib/policies/fallback/last-good.options.js';
import { revoked } from '../../../support/hostile.js';

const PLACE = 'Rates.current, @Fallback';
const key = (currency: string): string => currency;
const good = { key, maxAge: 60_000 };
const store = { get: async () => undefined, put: async () => undefined };
const parse = (lastGood: unknown, more: object = {}) => parseFallback(PLACE, { lastGood, ...more });

describe('a fallback by the last good answer', () => {
  it.each([
    ['none', {}],
    ['a store', { store }],
    ['what gives the store of the instance', { store: () => store }],
  ])('takes a key, an age, and %s', (_what, more) => {
    const lastGood = { ...good, ...more };

    expect(parse(lastGood)).toEqual([{ lastGood }]);
    expect(parse(lastGood, { on: Error, skipOn: TypeError })).toEqual([{ lastGood, on: Error, skipOn: TypeError }]);
  });

  it.each(['key', 'maxAge'])('has no %s of its own', (option) => {
    expect(() => parse({ ...good, [option]: undefined })).toThrow(
      `${PLACE}, lastGood: expected option '${option}', which has no default, got undefined`,
    );
  });

  it.each<[string, unknown[]]>([
    ['key', ['currency', null, async () => 'eur']],
    ['maxAge', [0, -1, Infinity, '60s']],
    ['store', ['redis', {}, { get: store.get }, { put: store.put }, null, async () => store]],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values)
      expect(() => parse({ ...good, [option]: value })).toThrow(`${PLACE}, lastGood: option '${option}': expected `);
  });

  it('refuses options that it does not know', () => {
    expect(() => parse({ ...good, ttl: 5 })).toThrow(`${PLACE}, lastGood: unknown option 'ttl'`);
  });

  it.each([[5], ['eur'], [null], [[good]]])('refuses %j in place of its options', (lastGood) => {
    expect(() => parse(lastGood)).toThrow(`${PLACE}: option 'lastGood': expected { key, maxAge, store? }`);
  });

  it.each([{ use: 'other' }, { value: 1 }, { value: undefined }])('stands alone: not beside %j', (more) => {
    expect(() => parse(good, more)).toThrow(`${PLACE}: expected one of 'use', 'value' and 'lastGood', got `);
  });

  it('knows a store by what it can do', () => {
    expect(isStore(store)).toBe(true);
    for (const other of [undefined, null, {}, { get: store.get }, { put: store.put }, { get: 1, put: 2 }, revoked()])
      expect(isStore(other)).toBe(false);
  });
});
