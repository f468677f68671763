import { types } from 'node:util';
import { isAsyncIterable, isList, isObservableLike, isThenable, propertyOf } from '../errors/foreign.js';
import type { Returns } from '../policies/policy-set.js';
import type { PipelineCall } from './call.js';
import { isDecoratedItself, type GuardedMethod } from '../guarded/guarded-method.js';

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

/** Why a value was given on as it is. */
export function describePassed(value: unknown, method: GuardedMethod): string {
  const expected = isDecoratedItself(method)
    ? 'expected a promise, an Observable or an async iterable'
    : 'a decorator of the class guards native promises and plain Observables';
  return `it gave ${describe(value)}; ${expected}`;
}

function describe(value: unknown): string {
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

/** What a method has given before anybody knew what it would be; the first attempt takes it in place of a call. */
export class EarlyResult {
  #taken = false;

  /**
   * @param call in which the method was called.
   * @param underway whether its work is running already, so that nothing can refuse it or let it wait.
   */
  constructor(
    private readonly call: PipelineCall,
    private readonly value: unknown,
    private readonly underway: boolean,
  ) {}

  /** Whether the next attempt is at work before it is admitted. */
  get runs(): boolean {
    return this.underway && !this.#taken;
  }

  get taken(): boolean {
    return this.#taken;
  }

  /** Gives it to an attempt, which bounds and cuts it from now on. */
  take(attempt: PipelineCall): unknown {
    this.#taken = true;
    attempt.adopt(this.call);
    return this.value;
  }
}
