import { types } from 'node:util';
import { isAsyncIterable, isList, isObservableLike, isThenable, propertyOf } from '../errors/foreign.js';
import type { Attempt } from '../kernel/attempt.js';
import type { Returns } from '../kernel/method-kind.js';

/** What a method may teach: everything that can be guarded, or what is sure not to be missed in its own form. */
export interface Lesson {
  /** Only the class is decorated, so that nobody has said that this method can be guarded. */
  readonly byClassAlone: boolean;
  /** What the declaration leaves possible: of a method that is declared as giving some class, a thenable alone. */
  readonly thenableAlone: boolean;
  /** What its set says that methods give. */
  readonly returns: Returns | undefined;
}

/**
 * What kind of method gives `value`; undefined: one that cannot be guarded.
 *
 * Where only the class is decorated, a query builder, a Subject and a stream pass as they are: callers use more
 * of them than a guarded one would have.
 */
export function kindTaughtBy(value: unknown, { byClassAlone, thenableAlone, returns }: Lesson): Returns | undefined {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  if (types.isPromise(value)) return 'promise';
  if (isThenable(value)) return byClassAlone && returns !== 'promise' ? undefined : 'promise';
  if (thenableAlone && !byClassAlone) return undefined;
  if (isObservableLike(value))
    return byClassAlone && returns !== 'observable' && isSubject(value) ? undefined : 'observable';
  if (!isAsyncIterable(value)) return undefined;
  if (returns === 'asyncIterable') return 'asyncIterable';
  return byClassAlone || streamNameOf(value) !== undefined ? undefined : 'asyncIterable';
}

/** Whether a value may teach anything at all, whatever the declarations say. */
export function mayTeach(value: unknown): boolean {
  return types.isPromise(value) || isThenable(value) || isObservableLike(value) || isAsyncIterable(value);
}

/** A value that is given on as it is, as people read it. */
export function describeGiven(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (isThenable(value)) return 'a thenable that is no native promise';
  if (isObservableLike(value)) return 'a Subject';
  if (isAsyncIterable(value)) return streamNameOf(value) ?? 'an async iterable';
  return isList(value) ? 'an array' : 'an object';
}

function isSubject(value: object): boolean {
  return typeof propertyOf(value, 'next') === 'function';
}

/** What is iterable, but of which callers use more than the items; undefined: nothing of that kind. */
function streamNameOf(value: object): string | undefined {
  if (typeof propertyOf(value, 'getReader') === 'function') return 'a stream of the web';
  if (typeof propertyOf(value, 'on') !== 'function') return undefined;
  return typeof propertyOf(value, 'pipe') === 'function' ? 'a stream of Node' : 'an event emitter';
}

/**
 * An attempt whose method was called before anybody knew what it gives. Policies are built around it: the first attempt
 * that is made takes its place.
 */
export class EarlyAttempt {
  #attempt: Attempt | undefined;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  take(): Attempt | undefined {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    return attempt;
  }
}
