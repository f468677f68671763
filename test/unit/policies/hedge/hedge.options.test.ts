import { describe, expect, it } from 'vitest';
import { parseHedge, resolveHedge, type HedgeOptions } from '../../../../lib/policies/hedge/hedge.options.js';

const parse = (setting: unknown) => parseHedge('Client.load, @Hedge', setting);

describe('parseHedge', () => {
  it('takes every option', () => {
    const options: Required<HedgeOptions> = { after: 50, maxAttempts: 3, budget: { ratio: 0.05 } };

    expect(parse(options)).toBe(options);
    expect(parse({ after: { percentile: 99.9, min: 0, max: 500 } })).toBeTruthy();
    expect(parse({ after: { percentile: 95, min: 100, max: 100 } })).toBeTruthy();
    expect(parse({ budget: false })).toBeTruthy();
  });

  it.each<[keyof HedgeOptions, unknown[]]>([
    ['after', [0, -1, NaN, Infinity, '100', null, []]],
    ['maxAttempts', [0, 1, 2.5, Infinity, '2']],
    ['budget', [true, 5, null]],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values)
      expect(() => parse({ [option]: value })).toThrow(
        new RegExp(`^Client\\.load, @Hedge: option '${option}': expected`),
      );
  });

  it.each([
    [{}, 'percentile'],
    [{ percentile: 0 }, 'percentile'],
    [{ percentile: 100 }, 'percentile'],
    [{ percentile: '95' }, 'percentile'],
    [{ percentile: 95, min: -1 }, 'min'],
    [{ percentile: 95, max: 0 }, 'max'],
    [{ percentile: 95, min: 200, max: 100 }, 'max'],
    [{ percent: 95 }, 'percent'],
  ])('refuses the percentile %j', (after, option) => {
    expect(() => parse({ after })).toThrow(new RegExp(`^Client\\.load, @Hedge\\.after: .*'${option}'`));
  });

  it.each([200, '95', undefined, null])('refuses %s in place of options', (setting) => {
    expect(() => parse(setting)).toThrow(/^Client\.load, @Hedge: expected an options object, got /);
  });

  it('has no delay of its own', () => {
    expect(() => resolveHedge('Client.load, @Hedge', {})).toThrow(/^Client\.load, @Hedge: .*'after'/);
  });
});
