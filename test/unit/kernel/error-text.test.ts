import { describe, expect, it } from 'vitest';
import { TimeoutException } from '../../../lib/errors/timeout.exception.js';
import { stackOf } from '../../../lib/errors/foreign.js';
import { describeError, textOf } from '../../../lib/kernel/error-text.js';

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const strict = (): object =>
  new Proxy(new Error('behind'), {
    get: (_, key) => {
      throw new Error(`no ${String(key)}`);
    },
    getPrototypeOf: () => {
      throw new Error('no prototype');
    },
  });
const throwing = (key: string, base: object = {}): object =>
  Object.defineProperty(base, key, {
    get: () => {
      throw new Error('getter');
    },
  });

describe('the text of an error', () => {
  it.each<[string, unknown, string]>([
    ['an Error', new Error('down'), 'down'],
    ['a string', 'down', 'down'],
    ['undefined', undefined, 'undefined'],
    ['a symbol', Symbol('down'), 'Symbol(down)'],
    ['a bigint', 5n, '5'],
    ['an object with a message', { message: 'down' }, 'down'],
    ['an object with a message and a code', { message: 'down', code: 'E_DOWN' }, 'down (E_DOWN)'],
    ['an object with a code', { code: 'E_DOWN', details: 'x' }, 'E_DOWN'],
    ['an object with a numeric code', { code: 14 }, '14'],
    [
      'an object that says nothing of itself',
      { status: 'error', reason: { text: 'down' } },
      "{ status: 'error', reason: { text: 'down' } }",
    ],
    ['an object without a prototype', Object.assign(Object.create(null), { message: 'down' }), 'down'],
    ['an object with words of its own', { toString: () => 'my words' }, 'my words'],
    ['a list of objects', [{ a: 1 }], '[ { a: 1 } ]'],
    ['an Error without a message', Object.assign(new Error(), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [
      'an Error of several',
      new AggregateError([new Error('down at ::1'), new Error('down at 127.0.0.1')]),
      'down at ::1',
    ],
    ['an error of ours', new TimeoutException({ policy: 'timeout', instanceName: 'a', message: 'slow' }), 'slow'],
  ])('of %s', (_, error, text) => {
    expect(textOf(error)).toBe(text);
  });

  it.each<[string, () => unknown]>([
    ['a revoked proxy', revoked],
    ['a proxy that throws at everything', strict],
    ['a getter that throws in place of the message', () => throwing('message')],
    ['a getter that throws in place of the code', () => throwing('code')],
    ['an Error whose name throws', () => throwing('name', new Error('down'))],
    ['an Error whose stack and message throw', () => throwing('message', throwing('stack', new Error('down')))],
    ['a message that is no string', () => Object.assign(new Error('x'), { message: { toString: () => 1 } })],
    [
      'a toString that throws',
      () => ({
        toString: () => {
          throw new Error('x');
        },
      }),
    ],
    ['a toString that rejects', () => ({ toString: () => Promise.reject(new Error('x')) })],
    ['a toString that gives an object', () => ({ toString: () => ({}) })],
    [
      'an inspection that throws',
      () => ({
        [Symbol.for('nodejs.util.inspect.custom')]: () => {
          throw new Error('x');
        },
      }),
    ],
    [
      'an Error of itself',
      () => {
        const error = new AggregateError([]);
        error.errors.push(error);
        return error;
      },
    ],
    ['a function', () => () => 'the source of a function'],
  ])('is had without a throw, when it is %s', (_, make) => {
    for (const text of [textOf(make()), describeError(make())]) {
      expect(typeof text).toBe('string');
      expect(text).not.toContain('[object Object]');
      expect(text).not.toContain('the source');
    }
    expect(['string', 'undefined']).toContain(typeof stackOf(make()));
  });

  it('is quoted with the name, and cut', () => {
    expect(describeError(new TypeError('down'))).toBe('TypeError: down');
    expect(describeError(new TypeError())).toBe('TypeError');
    expect(describeError({ message: 'down', code: 5 })).toBe('down (5)');
    expect(describeError(new Error('x'.repeat(500)))).toHaveLength(200);
    expect(describeError({ long: 'x'.repeat(5_000) })).toHaveLength(200);
  });
});
