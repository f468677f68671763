import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import {
  aFunction,
  checkOptions,
  either,
  isPlainObject,
  positiveMs,
  type Expectation,
} from '../../kernel/options/check.js';
import { propertyOf } from '../../errors/foreign.js';

/**
 * Where last good answers are kept beside memory; a `DataService` is one.
 *
 * @publicApi
 */
export interface LastGoodStore {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<unknown>;
}

/**
 * The last answer of the same key stands in for one that cannot be had.
 *
 * @publicApi
 */
export interface LastGoodOptions {
  /**
   * Whose answer it is, from the arguments of the call; `this` is the instance. Everything that the answer depends on must be
   * in it: who asks, above all, where the method reads that from a request-scoped `this`.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are those of the guarded method
  key: (this: any, ...args: any[]) => string;
  /** The greatest age of an answer that is given, ms, above 0. */
  maxAge: number;
  /**
   * What keeps answers beyond the process, and for other processes: a `DataService`, or what gives that of the instance. It is
   * written in the background and read, for 250 ms at most, where memory has no answer: one that fails or hangs delays none.
   *
   * @default none: memory alone, the 10_000 keys that were used last
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the class of the guarded method
  store?: LastGoodStore | ((instance: any) => LastGoodStore);
}

export function isStore(value: unknown): value is LastGoodStore {
  return typeof propertyOf(value, 'get') === 'function' && typeof propertyOf(value, 'put') === 'function';
}

const aStore: Expectation = either(aFunction, {
  expected: 'a DataService or another object with get() and put()',
  accepts: isStore,
});

export const lastGoodOptions: Expectation = { expected: '{ key, maxAge, store? }', accepts: isPlainObject };

/** @throws ResilienceConfigurationError */
export function checkLastGood(place: string, setting: unknown): asserts setting is LastGoodOptions {
  checkOptions<LastGoodOptions>(place, setting, { key: aFunction, maxAge: positiveMs, store: aStore });
  for (const option of ['key', 'maxAge'] as const) {
    if (setting[option] === undefined)
      throw new ResilienceConfigurationError(place, `expected option '${option}', which has no default, got undefined`);
  }
}
