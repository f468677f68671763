import { heed, isThenable } from '../errors/foreign.js';
import { show } from './options/check.js';

/** Who is told that a user's callback went wrong; it says so at most once a minute for each `place`, and throws nothing. */
export interface CallbackReporter {
  readonly reportCallback: (place: string, error: unknown) => void;
}

/** What {@link Wanted.read} gives for an answer of another type. */
export const WRONG = Symbol('wrong');

/** What a callback is to answer. */
export interface Wanted<T> {
  /** Completes "expected ...". */
  readonly expected: string;
  /** The answer as such a value, or {@link WRONG}. It looks at nothing of an object but its type. */
  read(answer: unknown): T | typeof WRONG;
}

/** The answer of a predicate. Whoever says nothing says no. */
export const yesOrNo: Wanted<boolean> = {
  expected: 'true or false',
  read: (answer) => {
    if (typeof answer === 'boolean') return answer;
    return answer === undefined || answer === null ? false : WRONG;
  },
};

/** How long something takes. */
export const milliseconds: Wanted<number> = {
  expected: 'a finite number of ms from 0',
  read: (answer) => (isFiniteFromZero(answer) ? answer : WRONG),
};

/** How much something costs. */
export const amount: Wanted<number> = {
  expected: 'a finite number from 0',
  read: (answer) => (isFiniteFromZero(answer) ? answer : WRONG),
};

/** How important something is. */
export const rank: Wanted<number> = {
  expected: 'a number',
  read: (answer) => (typeof answer === 'number' && !Number.isNaN(answer) ? answer : WRONG),
};

/** A function that is to be asked itself, later. */
export const aFunctionAnswer: Wanted<(...args: unknown[]) => number> = {
  expected: 'a function',
  read: (answer) => (typeof answer === 'function' ? (answer as () => number) : WRONG),
};

/** A key as text; undefined: there is none. What has no text of its own, as an object, would make one key of all. */
export const keyText: Wanted<string | undefined> = {
  expected: 'a string, or undefined for none',
  read: (answer) => {
    if (typeof answer === 'string' || answer === undefined) return answer;
    return typeof answer === 'number' || typeof answer === 'boolean' || typeof answer === 'bigint'
      ? String(answer)
      : WRONG;
  },
};

function isFiniteFromZero(answer: unknown): answer is number {
  return typeof answer === 'number' && answer >= 0 && answer < Infinity;
}

/**
 * Asks a user's callback. Where it throws, or answers something else than is wanted, a promise say, that is reported and
 * `otherwise` is the answer: a callback can neither fail the call nor hold it up.
 */
export function ask<T>(
  reporter: CallbackReporter,
  place: string,
  wanted: Wanted<T>,
  otherwise: T,
  callback: () => unknown,
): T {
  let answer: unknown;
  try {
    answer = callback();
  } catch (error) {
    reporter.reportCallback(place, error);
    return otherwise;
  }
  return accept(reporter, place, wanted, otherwise, answer);
}

/** Checks what a callback has answered, as {@link ask} does. */
export function accept<T>(
  reporter: CallbackReporter,
  place: string,
  wanted: Wanted<T>,
  otherwise: T,
  answer: unknown,
): T {
  const read = wanted.read(answer);
  if (read !== WRONG) return read;
  const later = isThenable(answer);
  // Nobody waits for it, so a rejection of it is told here or nowhere.
  if (later) heed(answer, (error) => reporter.reportCallback(place, error));
  const got = later ? 'a promise' : show(answer);
  reporter.reportCallback(place, new TypeError(`expected ${wanted.expected}, got ${got}`));
  return otherwise;
}

/** Calls a user's listener, whose answer nobody wants: it may fail now or later, and hurts nobody. */
export function notify(reporter: CallbackReporter, place: string, listener: () => unknown): void {
  try {
    const answer = listener();
    if (answer !== undefined) heed(answer, (error) => reporter.reportCallback(place, error));
  } catch (error) {
    reporter.reportCallback(place, error);
  }
}
