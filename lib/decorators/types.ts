import type { Observable } from 'rxjs';
import type { AnyFunction } from '../guarded/guarded-method.js';
import type { Handler } from '../kernel/answer.js';
import type { ErrorMatch } from '../kernel/error-match.js';
import type { LastGoodOptions } from '../policies/fallback/last-good.options.js';

/** A method that time can pass in. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any arguments, any result
export type AsyncMethod = (...args: any[]) => PromiseLike<any> | Observable<any> | AsyncIterable<any>;

/**
 * Stands on a class, or on a method that gives a Promise, an Observable or an AsyncIterable.
 *
 * @publicApi
 */
export interface GuardDecorator {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- TypeScript's own type of a decorated class
  (target: Function): void;
  <M extends AsyncMethod>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<M>): void;
}

/** A method that gives one answer, later. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any arguments, any result
export type PromiseMethod = (...args: any[]) => PromiseLike<any>;

/**
 * Stands on a class, or on a method that gives a Promise.
 *
 * @publicApi
 */
export interface PromiseDecorator {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- TypeScript's own type of a decorated class
  (target: Function): void;
  <M extends PromiseMethod>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<M>): void;
}

/** Fits where a function of the arguments `A` can be asked about calls of `M`. */
type Asks<A extends unknown[], M extends PromiseMethod> = ((...args: A) => unknown) extends (
  ...args: Parameters<M>
) => unknown
  ? unknown
  : { key: 'takes other arguments than the method' };

/**
 * Stands on a class, or on a method that gives a Promise and takes the arguments of the key.
 *
 * @publicApi
 */
export interface CoalesceDecorator<A extends unknown[]> {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- TypeScript's own type of a decorated class
  (target: Function): void;
  <M extends PromiseMethod>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<M> & Asks<A, M>,
  ): void;
}

/**
 * Stands on a class, or on any method; a synchronous one stays synchronous.
 *
 * @publicApi
 */
export interface AnswerDecorator {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- TypeScript's own type of a decorated class
  (target: Function): void;
  <M extends AnyFunction>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<M>): void;
}

/** What may stand in for a result: the value itself, now or later, or a stream where one is given. */
export type SubstituteFor<R> =
  R extends PromiseLike<infer V>
    ? V | PromiseLike<V>
    : R extends Observable<infer V>
      ? V | PromiseLike<V> | Observable<V>
      : R extends AsyncIterable<infer V>
        ? V | PromiseLike<V> | AsyncIterable<V>
        : R;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a method may declare the error as any type
type ThenError<A extends readonly unknown[]> = [...A, any];

/** A method that can answer for `M`: the same arguments, then the error. */
export type SubstituteMethod<M> = M extends (...args: infer A) => infer R
  ? (...args: ThenError<A>) => SubstituteFor<R>
  : never;

/**
 * Stands on a method of a class that has the methods `N`, each of them fit to answer for it.
 *
 * @publicApi
 */
export type NamedAnswerDecorator<N extends string> = <M extends AnyFunction>(
  target: { [K in N]: SubstituteMethod<M> },
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** One element of a list of fallbacks. */
export type FallbackElement =
  | string
  | Handler<never>
  | { use: string | Handler<never>; on?: ErrorMatch; skipOn?: ErrorMatch }
  | { value: unknown; on?: ErrorMatch; skipOn?: ErrorMatch }
  | { lastGood: LastGoodOptions; on?: ErrorMatch; skipOn?: ErrorMatch };

/** The methods that a list of fallbacks names. */
export type NamesIn<L extends readonly FallbackElement[]> = {
  [I in keyof L]: L[I] extends string ? L[I] : L[I] extends { use: infer U extends string } ? U : never;
}[number];

/** The decorator of a list: like that of a single fallback, by name or not. */
export type ListDecorator<L extends readonly FallbackElement[]> = [NamesIn<L>] extends [never]
  ? AnswerDecorator
  : NamedAnswerDecorator<NamesIn<L>>;
