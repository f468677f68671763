import { describe, expect, it } from 'vitest';
import { parseFallback } from '../../../../lib/policies/fallback/fallback.options.js';

const PLACE = 'Client.load, @Fallback';
const parse = (setting: unknown) => parseFallback(PLACE, setting);
const handler = () => 'cached';

describe('parseFallback', () => {
  it('takes a method name, a handler, options and a value', () => {
    expect(parse('cached')).toEqual([{ use: 'cached' }]);
    expect(parse(handler)).toEqual([{ use: handler }]);
    expect(parse({ use: 'cached', on: Error })).toEqual([{ use: 'cached', on: Error }]);
    expect(parse({ use: handler, skipOn: [TypeError] })).toEqual([{ use: handler, skipOn: [TypeError] }]);
    expect(parse({ value: null })).toEqual([{ value: null }]);
  });

  it('takes undefined as a value', () => {
    expect(parse({ value: undefined })).toEqual([{ value: undefined }]);
  });

  it('takes a list of them, in its order', () => {
    expect(parse(['cached', handler, { value: 1 }])).toEqual([{ use: 'cached' }, { use: handler }, { value: 1 }]);
  });

  it.each([[''], [5], [null], [undefined], [true]])('refuses %j', (setting) => {
    expect(() => parse(setting)).toThrow(`${PLACE}: expected a method name, a handler, { use } or { value }, got `);
  });

  it('refuses an empty list', () => {
    expect(() => parse([])).toThrow(`${PLACE}: expected at least one fallback, got an empty list`);
  });

  it('names the place in the list', () => {
    expect(() => parse(['cached', 5])).toThrow(`${PLACE} [1]: expected a method name`);
  });

  it.each([[{}], [{ on: Error }], [{ use: 'cached', value: 1 }]])('needs either a use or a value: %j', (setting) => {
    expect(() => parse(setting)).toThrow(`${PLACE}: expected either 'use' or 'value', got `);
  });

  it('takes an undefined use for none: a handler that was not imported is a mistake', () => {
    expect(() => parse({ use: undefined })).toThrow(`${PLACE}: expected either 'use' or 'value', got `);
  });

  it.each([
    ['use', 5],
    ['use', ''],
    ['on', 'Error'],
    ['skipOn', [5]],
  ])('refuses a wrong %s', (option, value) => {
    expect(() => parse({ use: 'cached', [option]: value })).toThrow(`${PLACE}: option '${option}': expected `);
  });

  it('refuses an unknown option', () => {
    expect(() => parse({ use: 'cached', only: Error })).toThrow(
      /unknown option 'only' .*expected one of: use, value, on/,
    );
  });
});
