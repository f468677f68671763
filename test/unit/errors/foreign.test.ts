import { describe, expect, it } from 'vitest';
import * as foreign from '../../../lib/errors/foreign.js';
import { errorOf } from '../../support/settle.js';

const boom = (): never => {
  throw new ReferenceError('do not look');
};
const everyTrap = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((trap) => [trap, boom]),
) as ProxyHandler<object>;

function revoked(target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const getter = (key: PropertyKey, target: object = {}): object => Object.defineProperty(target, key, { get: boom });

/** Values that throw when they are looked at, each in its way. */
const HOSTILE: readonly (readonly [string, unknown])[] = [
  ['a strict proxy', new Proxy({}, { get: boom })],
  ['a proxy that allows nothing', new Proxy({}, everyTrap)],
  ['a function behind such a proxy', new Proxy(() => undefined, everyTrap)],
  ['a revoked proxy', revoked()],
  ['a revoked proxy of a function', revoked(() => undefined)],
  ['a revoked proxy of a promise', revoked(Promise.resolve())],
  ['a promise behind a proxy', new Proxy(Promise.resolve(1), {})],
  ['a signal behind a proxy', new Proxy(new AbortController().signal, {})],
  ['a getter of then', getter('then')],
  ['a getter of then on a promise', getter('then', Promise.resolve())],
  ['a getter of constructor on a promise', getter('constructor', Promise.resolve())],
  ['a then that throws', { then: boom }],
  ['a then on a promise that throws', Object.assign(Promise.resolve(), { then: boom })],
  ['what only inherits from Promise', Object.create(Promise.prototype)],
  ['an error whose stack and message throw', getter('message', getter('stack', new Error('x')))],
  ['getters of what streams have', getter(Symbol.asyncIterator, getter('subscribe', getter('pipe')))],
  ['no text', Object.create(null)],
  ['a toPrimitive that throws', { [Symbol.toPrimitive]: boom }],
  ['a status that throws', { getStatus: boom }],
];

class HostileClass {
  static [Symbol.hasInstance](): boolean {
    return boom();
  }
}

describe.each(HOSTILE)('%s', (_, value) => {
  it.each<[string, (value: unknown) => unknown]>([
    ['propertyOf', (one) => foreign.propertyOf(one, 'status')],
    ['hasProperty', (one) => foreign.hasProperty(one, 'status')],
    ['instanceOf', (one) => foreign.instanceOf(one, Map)],
    ['instanceOf a hostile class', (one) => foreign.instanceOf(one, HostileClass)],
    ['constructorOf', foreign.constructorOf],
    ['prototypeOf', (one) => foreign.prototypeOf(one as object)],
    ['stackOf', foreign.stackOf],
    ['invoke', (one) => foreign.invoke(one, 'getStatus')],
    ['isThenable', foreign.isThenable],
    ['isList', foreign.isList],
    ['isAsyncIterable', foreign.isAsyncIterable],
    ['isObservableLike', foreign.isObservableLike],
    ['signalOf', foreign.signalOf],
    ['heed', (one) => foreign.heed(one, () => undefined)],
  ])('can be given to %s', (_reader, read) => {
    expect(() => read(value)).not.toThrow();
  });

  it('becomes a promise that settles as an await of it does', async () => {
    const [awaited] = await Promise.allSettled([(async () => await value)()]);
    const [ours] = await Promise.allSettled([foreign.promiseOf(value)]);

    expect(ours.status).toBe(awaited.status);
  });
});

describe('reads of ordinary values', () => {
  it('see what is there', () => {
    const error = Object.assign(new TypeError('x'), { status: 404, getStatus: () => 404 });

    expect(foreign.propertyOf(error, 'status')).toBe(404);
    expect(foreign.hasProperty(error, 'status')).toBe(true);
    expect(foreign.invoke(error, 'getStatus')).toBe(404);
    expect(foreign.instanceOf(error, TypeError)).toBe(true);
    expect(foreign.constructorOf(error)).toBe(TypeError);
    expect(foreign.stackOf(error)).toBe(error.stack);
    expect(foreign.isThenable(Promise.resolve())).toBe(true);
    expect(foreign.isThenable(Object.assign(() => 1, { then: () => 1 }))).toBe(true);
    expect(foreign.isAsyncIterable((async function* () {})())).toBe(true);
    expect(foreign.isObservableLike({ subscribe: () => 1, pipe: () => 1 })).toBe(true);
    expect(foreign.signalOf(AbortSignal.abort())).toBeInstanceOf(AbortSignal);
  });

  it.each([undefined, null, 1, 'text', Symbol('x'), {}, new Error('x')])('find nothing in %s', (value) => {
    expect(foreign.propertyOf(value, 'status')).toBe(undefined);
    expect(foreign.invoke(value, 'getStatus')).toBe(undefined);
    expect(foreign.isThenable(value)).toBe(false);
    expect(foreign.isAsyncIterable(value)).toBe(false);
    expect(foreign.isObservableLike(value)).toBe(false);
    expect(foreign.signalOf(value)).toBe(undefined);
  });

  it('leave a promise of the language as it is', () => {
    const promise = Promise.resolve(1);

    expect(foreign.promiseOf(promise)).toBe(promise);
  });

  it('take the first answer of a thenable that calls back twice', async () => {
    const then = (resolve: (value: string) => void, reject: (error: unknown) => void): void => {
      resolve('first');
      reject(new Error('second'));
      resolve('third');
    };

    await expect(foreign.promiseOf({ then })).resolves.toBe('first');
  });

  it('hear a promise that a method gives, and take it for no answer', async () => {
    expect(foreign.invoke({ getStatus: () => Promise.reject(new Error('later')) }, 'getStatus')).toBe(undefined);
    expect(await errorOf(foreign.promiseOf(Promise.reject(new Error('own'))))).toMatchObject({ message: 'own' });
  });
});
