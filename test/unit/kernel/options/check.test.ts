import { describe, expect, it } from 'vitest';
import { ResilienceConfigurationError } from '../../../../lib/errors/configuration.error.js';
import {
  aBoolean,
  aFunction,
  aName,
  checkOptions,
  checkValue,
  either,
  errorMatch,
  fraction,
  MAX_DELAY_MS,
  nonNegativeInteger,
  nonNegativeMs,
  offOr,
  oneOf,
  percentage,
  positiveInteger,
  positiveMs,
  show,
  type Expectation,
} from '../../../../lib/kernel/options/check.js';
import { thrownBy } from '../../../support/settle.js';

const never = [NaN, -Infinity, -1, '1', '', null, true, {}, [], 1n, () => 1];

describe('expectations', () => {
  it.each<[string, Expectation, unknown[], unknown[]]>([
    ['positiveMs', positiveMs, [0.5, 1, MAX_DELAY_MS], [0, Infinity, MAX_DELAY_MS + 1, ...never]],
    ['nonNegativeMs', nonNegativeMs, [0, 0.5, MAX_DELAY_MS], [Infinity, MAX_DELAY_MS + 1, ...never]],
    ['positiveInteger', positiveInteger, [1, 1_000], [0, 1.5, Infinity, ...never]],
    ['nonNegativeInteger', nonNegativeInteger, [0, 7], [0.5, Infinity, ...never]],
    ['percentage', percentage, [0, 33.3, 100], [100.1, Infinity, ...never]],
    ['fraction', fraction, [0, 0.5, 1], [1.1, Infinity, ...never]],
    ['aBoolean', aBoolean, [true, false], [0, 1, 'true', null]],
    ['aFunction', aFunction, [() => 1, Error], ['f', {}, null]],
    ['aName', aName, ['a', ' '], ['', 1, null, {}]],
    ['errorMatch', errorMatch, [Error, () => true, [Error]], ['Error', {}, [1], null]],
    ['oneOf', oneOf('a', 'b'), ['a', 'b'], ['c', '', null, 0]],
    ['offOr', offOr(positiveMs), [false, 1], [true, 0, null]],
    ['either', either(aName, aFunction), ['a', () => 1], [1, '', null]],
  ])('%s accepts what it says, and nothing else', (_name, { accepts }, good, bad) => {
    expect(good.filter((value) => !accepts(value))).toEqual([]);
    expect(bad.filter((value) => accepts(value))).toEqual([]);
  });
});

describe('checkOptions', () => {
  interface Options {
    size?: number;
    on?: boolean;
  }
  const check = (options: unknown) =>
    checkOptions<Options>('Shop.buy, @Thing', options, { size: positiveInteger, on: aBoolean });
  const message = (options: unknown) => thrownBy(() => check(options)).message;

  it('accepts known options with accepted values, and none at all', () => {
    check({ size: 1, on: false });
    check({});
    check(Object.create(null));
  });

  it('takes undefined for an absent option', () => {
    check({ size: undefined, on: undefined });
  });

  it('names the place, the option, the value and what was expected, when a value is wrong', () => {
    expect(message({ size: -3 })).toBe(
      "Shop.buy, @Thing: option 'size': expected a whole number of at least 1, got -3",
    );
    expect(message({ on: 'yes' })).toBe("Shop.buy, @Thing: option 'on': expected true or false, got 'yes'");
  });

  it.each([
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    ['2', "'2'"],
    [null, 'null'],
    [2n, '2n'],
    [{ a: 1 }, '{"a":1}'],
  ])('shows the value as it is: %s', (size, shown) => {
    expect(message({ size })).toContain(`, got ${shown}`);
  });

  it('names an unknown option, and the known ones', () => {
    expect(message({ sise: 3 })).toBe(
      "Shop.buy, @Thing: unknown option 'sise' (got 3); expected one of: size, on; did you mean 'size'?",
    );
  });

  it('knows no option that objects have by nature', () => {
    expect(message({ toString: 1 })).toContain("unknown option 'toString'");
    expect(message(JSON.parse('{"__proto__": 1}'))).toContain("unknown option '__proto__'");
  });

  it.each([[null], [undefined], [5], ['x'], [[1]], [() => 1]])('takes only an object: %s', (options) => {
    expect(message(options)).toContain('Shop.buy, @Thing: expected an options object, got ');
  });

  it('throws an error of its own class, with the place', () => {
    const error = thrownBy<ResilienceConfigurationError>(() => check(7));

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error).toMatchObject({ place: 'Shop.buy, @Thing', code: 'INVALID_CONFIGURATION' });
  });
});

describe('checkValue', () => {
  it('names the place, what it is about, the value and what was expected', () => {
    const error = thrownBy(() => checkValue('Shop.buy, @Bulkhead', 'maxConcurrent', '3', positiveInteger));

    expect(error.message).toBe("Shop.buy, @Bulkhead: maxConcurrent: expected a whole number of at least 1, got '3'");
  });
});

describe('show', () => {
  it('shows every kind of value', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    function named(): void {}

    expect([undefined, Symbol('s'), named, cyclic].map(show)).toEqual([
      'undefined',
      'Symbol(s)',
      'function named',
      '[object Object]',
    ]);
    expect(
      show(
        (
          () => () =>
            1
        )(),
      ),
    ).toBe('a function');
    expect(show({ toJSON: () => undefined })).toBe('[object Object]');
  });

  it('shortens what is long', () => {
    expect(show(Array.from({ length: 100 }, (_, index) => index)).length).toBe(80);
  });
});
