import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { declaredMethod, parameterCountOf } from '../../../lib/decorators/parameter-count.js';
import { parametersOf } from '../../../lib/guarded/parameters.js';

/** Makes the function of its text: a compiler in between would change what is written. */
function made(text: string): (...args: never[]) => unknown {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is the case
  return new Function(`return ${text}`)() as (...args: never[]) => unknown;
}

const countOf = (text: string) => parameterCountOf(made(text), {}, 'method');

describe('the parameters of a method without metadata', () => {
  it.each([
    ['({ m() {} }).m', 0],
    ['({ m(a) {} }).m', 1],
    ['({ async m(currency = "GBP", _days = 1) {} }).m', 2],
    ['({ async *m(a = 1, b) {} }).m', 2],
    ['({ m(a, b,) {} }).m', 2],
    ['({ m({ a, b = 2 } = {}, [c, d] = [1, 2], e = f(1, 2)) {} }).m', 3],
    ['({ m(a = ",)", b = \',)\', c = "\\"") {} }).m', 3],
    ['({ m(a = `,${`)${1}`},`, b = `${{ x: 1 }.x}`) {} }).m', 2],
    ['({ m(a /* , b) */, // c)\n b) {} }).m', 2],
    ['({ m(a = (1, 2), b = (x, y) => x) {} }).m', 2],
    ['({ ["odd(name)"](a, b = 1) {} })["odd(name)"]', 2],
    ['function named(a, b = 1) {}', 2],
    ['async (a, b = 1) => a', 2],
    ['a => a', 1],
    ['async a => (a, a)', 1],
    ['class { static m(a = class { n(x, y) {} }, b) {} }.m', 2],
  ])('%s: %d', (text, count) => {
    expect(countOf(text)).toBe(count);
  });

  it.each([
    '({ m(...all) {} }).m',
    '({ m(a, ...rest) {} }).m',
    '({ m(a = 4 / 2, b) {} }).m',
    '({ m(a = /[,)]/, b) {} }).m',
  ])('%s: unknown', (text) => {
    expect(countOf(text)).toBeUndefined();
  });

  it('are those of its length, when its source cannot be seen', () => {
    expect(parameterCountOf(made('({ m(a, b) {} }).m').bind(null), {}, 'method')).toBe(2);
  });

  it('are counted whatever their default values are', () => {
    const nested = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('1', '"a,)"', "'(,'", '`,)(`', 'null', '/* , */ 2'),
        tie('value').map((inner) => `[${inner}, ${inner}]`),
        tie('value').map((inner) => `({ a: ${inner}, b: "}" })`),
        tie('value').map((inner) => `(x, y = ${inner}) => { return [x, y]; }`),
        tie('value').map((inner) => `\`)\${${inner}},\``),
      ),
    })).value;
    const parameters = fc.array(fc.option(nested), { maxLength: 5 });

    fc.assert(
      fc.property(parameters, (defaults) => {
        const list = defaults.map((value, i) => (value === null ? `p${i}` : `p${i} = ${value}`)).join(', ');
        expect(countOf(`({ async m(${list}) { return 0; } }).m`)).toBe(defaults.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the parameters of a method with metadata', () => {
  const withTypes = (text: string, types: unknown[]) => {
    const prototype = {};
    Reflect.defineMetadata('design:paramtypes', types, prototype, 'method');
    return parameterCountOf(made(text), prototype, 'method');
  };

  it('are those that the compiler saw, also where another function stands in the place of the method', () => {
    expect(withTypes('({ m(a = 1, b) {} }).m', [Number, Number])).toBe(2);
    expect(withTypes('({ m(...args) {} }).m', [Number, Number])).toBe(2);
  });

  it('are unknown, when the last takes the rest', () => {
    expect(withTypes('({ m(a, ...rest) {} }).m', [Number, Number])).toBeUndefined();
    expect(withTypes('({ m(...rest) {} }).m', [Number])).toBeUndefined();
  });

  it('are those of the method in its class, whatever a decorator has made of it', () => {
    const method = made('({ m(a) {} }).m');
    const wrapper = made('(...args) => args');

    expect(declaredMethod(wrapper, { m: method }, 'm')).toBe(method);
    expect(declaredMethod(wrapper, {}, 'm')).toBe(wrapper);
  });
});

describe('the names of the parameters', () => {
  it.each([
    ['({ m() {} }).m', []],
    ['({ async m(currency = "GBP", _days = 1) {} }).m', ['currency', '_days']],
    ['({ m(a /* , b) */, // c)\n b) {} }).m', ['a', 'b']],
    ['({ m({ a, b = 2 } = {}, [c, d] = [1, 2], $é) {} }).m', ['', '', '$é']],
    ['({ m(a, ...rest) {} }).m', ['a', 'rest']],
    ['a => a', ['a']],
    ['async a => (a, a)', ['a']],
  ])('are written in its source: %s', (text, names) => {
    expect(parametersOf(made(text))).toMatchObject({ names });
  });
});
