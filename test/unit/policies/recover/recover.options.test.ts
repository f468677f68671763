import { describe, expect, it } from 'vitest';
import { parseRecover } from '../../../../lib/policies/recover/recover.options.js';

const PLACE = 'Client.load, @Recover';
const parse = (setting: unknown) => parseRecover(PLACE, setting);
const handler = () => 'sorry';

describe('parseRecover', () => {
  it('takes true, a handler and every option', () => {
    const options = { use: handler, on: Error, log: false };

    expect(parse(true)).toEqual({});
    expect(parse(handler)).toEqual({ use: handler });
    expect(parse(options)).toBe(options);
    expect(parse({ value: null })).toEqual({ value: null });
    expect(parse({})).toEqual({});
  });

  it.each([
    ['use', 5],
    ['on', 'Error'],
    ['log', 'yes'],
  ])('refuses a wrong %s', (option, value) => {
    expect(() => parse({ [option]: value })).toThrow(`${PLACE}: option '${option}': expected `);
  });

  it.each([[5], [null], [undefined], ['sorry']])('refuses %j', (setting) => {
    expect(() => parse(setting)).toThrow(`${PLACE}: expected `);
  });

  it('refuses an unknown option', () => {
    expect(() => parse({ skipOn: Error })).toThrow(/unknown option 'skipOn' .*expected one of: use, value, on, log/);
  });
});
