/**
 * The one place that looks at values that are not ours: results, errors, abort reasons, what callbacks answer. To look
 * at one may run code of its own, a getter or the trap of a proxy, and that may throw. Nothing here throws: what cannot
 * be read is not there.
 */

/** Whether `value` has properties of its own. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A property of `value`; undefined where it has none, or cannot be read. */
export function propertyOf(value: unknown, key: PropertyKey): unknown {
  if (!isObject(value)) return undefined;
  try {
    return (value as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** Whether `value` has a property, its own or inherited. */
export function hasProperty(value: unknown, key: PropertyKey): boolean {
  if (!isObject(value)) return false;
  try {
    return key in value;
  } catch {
    return false;
  }
}

/** `value instanceof type`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the parameters of a constructor are its own affair
export function instanceOf<T>(value: unknown, type: abstract new (...args: any[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** Whether `value` is a promise of the language. An `instanceof` of its own: one that all classes share costs three times as much. */
export function isPromise(value: unknown): value is Promise<unknown> {
  try {
    return value instanceof Promise;
  } catch {
    return false;
  }
}

/** What stands behind an object; null also where it does not say so. */
export function prototypeOf(value: object): object | null {
  try {
    return Object.getPrototypeOf(value) as object | null;
  } catch {
    return null;
  }
}

/** The class of an object. */
export function constructorOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? propertyOf(prototypeOf(value), 'constructor') : undefined;
}

/** Whether `value` is an array. */
export function isList(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    // A proxy that was revoked.
    return false;
  }
}

/** The stack of an error. */
export function stackOf(error: unknown): string | undefined {
  if (!instanceOf(error, Error)) return undefined;
  const stack = propertyOf(error, 'stack');
  return typeof stack === 'string' ? stack : undefined;
}

/** What a method of `value` gives; undefined where there is none, it throws, or it would only give it later. */
export function invoke(value: unknown, method: string, ...args: readonly unknown[]): unknown {
  const found = propertyOf(value, method);
  if (typeof found !== 'function') return undefined;
  try {
    const given: unknown = Reflect.apply(found as () => unknown, value, args);
    if (!isThenable(given)) return given;
    heed(given, () => undefined);
  } catch {
    // It says nothing.
  }
  return undefined;
}

/** Whether `value` is a promise, whoever's. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof propertyOf(value, 'then') === 'function';
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && typeof propertyOf(value, Symbol.asyncIterator) === 'function';
}

export function isObservableLike(value: unknown): boolean {
  return (
    typeof value === 'object' && typeof propertyOf(value, 'subscribe') === 'function' && hasProperty(value, 'pipe')
  );
}

/**
 * What `await value` gives, as a promise whose `then` is the language's own: a promise of another kind, one behind a
 * proxy, or one with a `then` of its own may throw as soon as somebody listens to it.
 */
export function promiseOf(value: unknown): Promise<unknown> {
  let promise: Promise<unknown> | undefined;
  try {
    promise = Promise.resolve(value);
    if (promise.then === Promise.prototype.then) return promise;
  } catch (error) {
    if (promise === undefined) return Promise.reject(error);
  }
  return adopted(promise);
}

/** As `await` does it: without a look at the promise's own `then`. */
function adopted(promise: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => void Promise.prototype.then.call(promise, resolve, reject));
}

/** Tells `onError` if `value` is a promise that rejects, so that it is no unhandled rejection. */
export function heed(value: unknown, onError: (error: unknown) => void): void {
  if (isThenable(value)) promiseOf(value).then(undefined, onError);
}

/** A signal that can be followed, a polyfill's or another realm's too: not one behind a proxy, which cannot be asked. */
export function signalOf(value: unknown): AbortSignal | undefined {
  return typeof propertyOf(value, 'aborted') === 'boolean' &&
    typeof propertyOf(value, 'addEventListener') === 'function'
    ? (value as AbortSignal)
    : undefined;
}
