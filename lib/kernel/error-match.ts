import { instanceOf } from '../errors/foreign.js';
import { answersLater } from './answers-later.js';
import type { CallInfo } from './call-info.js';

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

/** {@link ErrorMatch} as one function; its answer is to be checked as that of any callback. */
export type Matcher = (error: unknown, call: CallInfo) => unknown;

/** Turns {@link ErrorMatch} into one function. */
export function toMatcher(match: ErrorMatch): Matcher {
  if (Array.isArray(match)) {
    const matchers = (match as readonly (ErrorClass | ErrorPredicate)[]).map((one) => toMatcher(one));
    return (error, call) => firstYes(matchers, error, call);
  }
  if (isErrorClass(match)) return (error) => instanceOf(error, match);
  return match as ErrorPredicate;
}

/** The first answer that is not no. */
function firstYes(matchers: readonly Matcher[], error: unknown, call: CallInfo): unknown {
  for (const matcher of matchers) {
    const answer = matcher(error, call);
    if (answer !== false && answer !== undefined && answer !== null) return answer;
  }
  return false;
}

/** Whether `value` can stand where an {@link ErrorMatch} is expected. */
export function isErrorMatch(value: unknown): value is ErrorMatch {
  return isOneMatch(value) || (Array.isArray(value) && value.every(isOneMatch));
}

function isOneMatch(value: unknown): boolean {
  return typeof value === 'function' && !answersLater(value);
}

/** A class has a non-writable `prototype`; a function written as a predicate has a writable one or none. */
function isErrorClass(value: unknown): value is ErrorClass {
  if (typeof value !== 'function') return false;
  const prototype = Object.getOwnPropertyDescriptor(value, 'prototype');
  if (prototype === undefined) return false;
  return prototype.writable === false || instanceOf(prototype.value, Error) || (value as unknown) === Error;
}
