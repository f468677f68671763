import { isAsyncIterable, isObservableLike, isPromise, isThenable, promiseOf } from '../errors/foreign.js';
import type { Attempt } from '../kernel/attempt.js';
import type { Work } from '../kernel/junction.js';
import { rejected } from '../kernel/rejection.js';
import { inCall } from './current-call.js';

/** Runs the guarded code for one attempt. */
export type Body = (attempt: Attempt) => unknown;

/** Lets an attempt whose method was called already take what that has given. */
export function orGiven(body: Body): Body {
  return (attempt) => {
    const { rare } = attempt;
    const given = rare?.given;
    if (rare === undefined || given === undefined) return body(attempt);
    rare.given = undefined;
    return given.value;
  };
}

/** The work of a method that gives one answer. */
export function promiseWork(body: Body): Work {
  return (attempt) => {
    const result = inCall(attempt, body);
    return isPromise(result) ? promiseOf(result) : promiseIn(attempt, result);
  };
}

function promiseIn(attempt: Attempt, result: unknown): Promise<unknown> {
  // A query builder is a promise first, although some can be iterated too.
  const mistake = isThenable(result) ? undefined : undeclaredStream(attempt, result);
  return mistake === undefined ? promiseOf(result) : rejected(mistake);
}

/** The mistake of a method that gives a stream without having said so: it would run unguarded. */
function undeclaredStream({ className, methodName }: Attempt, result: unknown): TypeError | undefined {
  const observable = isObservableLike(result);
  if (!observable && !isAsyncIterable(result)) return undefined;
  const [found, type, returns] = observable
    ? ['an Observable', 'Observable', 'observable']
    : ['an async iterable', 'AsyncIterable', 'asyncIterable'];
  return new TypeError(
    `${className}.${methodName} gave ${found}, but is guarded as a method that gives a promise: ` +
      `declare its return type (${type}<...>), or put it into the policy set as returns: '${returns}'`,
  );
}
