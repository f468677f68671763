import { describe, expect, it } from 'vitest';
import { adaptive } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { BULKHEAD_DEFAULTS, parseBulkhead } from '../../../../lib/policies/bulkhead/bulkhead.options.js';

const PLACE = 'Client.load, @Bulkhead';
const parse = (setting: unknown) => parseBulkhead(PLACE, setting);

describe('parseBulkhead', () => {
  it('takes a number as how many run at once', () => {
    expect(parse(20)).toEqual({ maxConcurrent: 20 });
  });

  it('takes every option', () => {
    const options = {
      maxConcurrent: 1,
      maxQueue: 0,
      maxWait: 0.5,
      priority: () => 1,
      abandonAfter: false,
      mode: 'metricsOnly',
    };

    expect(parse(options)).toBe(options);
    expect(parse({ abandonAfter: 0 })).toEqual({ abandonAfter: 0 });
  });

  it('takes an adaptive limit, alone and as an option', () => {
    const maxConcurrent = adaptive({ max: 50 });

    expect(parse(maxConcurrent)).toEqual({ maxConcurrent });
    expect(parse({ maxConcurrent })).toEqual({ maxConcurrent });
  });

  it.each([[0], [-1], [1.5], [NaN], [Infinity], ['5'], [true], [undefined]])('refuses %s as a number', (setting) => {
    expect(() => parse(setting)).toThrow(
      `${PLACE}: maxConcurrent: expected a whole number of at least 1, or adaptive(), got `,
    );
  });

  it.each([
    ['maxConcurrent', [0, -1, 1.5, NaN, Infinity, '5', null, { kind: 'fixed' }]],
    ['maxQueue', [-1, 1.5, NaN, Infinity, '5']],
    ['maxWait', [0, -1, NaN, -Infinity, '5', false]],
    ['priority', [1, 'high', true]],
    ['abandonAfter', [-1, NaN, Infinity, '5', true]],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values) {
      expect(() => parse({ [option]: value })).toThrow(`${PLACE}: option '${option}': expected `);
    }
  });

  it('refuses null, and an unknown option', () => {
    expect(() => parse(null)).toThrow(`${PLACE}: expected an options object, got null`);
    expect(() => parse({ colour: 5 })).toThrow(/unknown option 'colour' \(got 5\); expected one of: maxConc/);
  });

  it('has the defaults of the contract', () => {
    expect(BULKHEAD_DEFAULTS).toEqual({ maxConcurrent: 10, maxQueue: 0, abandonAfter: 60_000, mode: 'normal' });
  });
});
