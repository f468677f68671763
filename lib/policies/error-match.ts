import type { CallInfo } from './call.js';

/** A constructor of errors, abstract ones included. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the parameters of an error's constructor are its own affair
export type ErrorClass = abstract new (...args: any[]) => object;

export type ErrorPredicate = (error: unknown, call: CallInfo) => boolean;

/**
 * Names errors: a class (its subclasses too), a list of them, or a predicate.
 *
 * @publicApi
 */
export type ErrorMatch = ErrorClass | readonly (ErrorClass | ErrorPredicate)[] | ErrorPredicate;

/** Turns {@link ErrorMatch} into one predicate. */
export function toPredicate(match: ErrorMatch): ErrorPredicate {
  if (Array.isArray(match)) {
    const predicates = (match as readonly (ErrorClass | ErrorPredicate)[]).map((one) => toPredicate(one));
    return (error, call) => predicates.some((predicate) => predicate(error, call));
  }
  if (isErrorClass(match)) return (error) => error instanceof match;
  return match as ErrorPredicate;
}

/** Whether `value` can stand where an {@link ErrorMatch} is expected. */
export function isErrorMatch(value: unknown): value is ErrorMatch {
  return typeof value === 'function' || (Array.isArray(value) && value.every((one) => typeof one === 'function'));
}

/** A class has a non-writable `prototype`; a function written as a predicate has a writable one or none. */
function isErrorClass(value: unknown): value is ErrorClass {
  if (typeof value !== 'function') return false;
  const prototype = Object.getOwnPropertyDescriptor(value, 'prototype');
  if (prototype === undefined) return false;
  return prototype.writable === false || prototype.value instanceof Error || (value as unknown) === Error;
}
