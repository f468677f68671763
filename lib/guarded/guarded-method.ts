import type { MethodKind } from '../kernel/method-kind.js';
import { describeGiven } from '../pipeline/learning.js';
import type { Plan } from '../pipeline/plan.js';
import type { SetKey } from '../policies/kinds.js';
import type { PolicySet } from '../policies/policy-set.js';

export type { MethodKind } from '../kernel/method-kind.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function can be a method
export type AnyFunction = (...args: any[]) => unknown;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any class can have methods
export type AnyClass = abstract new (...args: any[]) => object;

/** One policy as a decorator declared it. */
export interface Declaration {
  readonly key: SetKey;
  /** The decorator, as errors name it: `@Timeout`. */
  readonly label: string;
  readonly name?: string | undefined;
  /** The options in any of their forms; undefined: the defaults; false: off here. */
  readonly setting: unknown;
}

/** A whole set as `@Resilient` declared it: the name of one, a set, or none at all. */
export interface SetDeclaration {
  readonly label: string;
  readonly set: string | PolicySet | false;
}

/** Everything that decorators said about a class or a method. */
export interface Declared {
  readonly policies: Declaration[];
  resilient?: SetDeclaration | undefined;
  /** Mistakes that can only be told when the app starts. */
  readonly faults: string[];
}

export const nothingDeclared = (): Declared => ({ policies: [], faults: [] });

/** A method with a decorator of ours, as its class declares it. */
export interface GuardedMethod {
  readonly declaringClass: AnyClass;
  readonly methodName: string;
  readonly kind: MethodKind;
  /** The method as its class declares it, whose source says what parameters it has. */
  readonly declared: AnyFunction;
  /** What the wrapper calls: the method, with other libraries' decorators that lie inside ours. */
  body: AnyFunction;
  /** The function that stands in the class. */
  wrapper: AnyFunction;
  /** How many parameters it declares, optional ones included; undefined: nobody knows, or one of them takes all the rest. */
  readonly parameterCount: number | undefined;
  readonly own: Declared;
  /** Whether the decorators of its class apply to it. */
  coveredByClass: boolean;
  /** The plan of the last call, which nearly always is that of the next, and the plans that it is one of. */
  recent?: { readonly plans: ReadonlyMap<GuardedMethod, Plan>; readonly plan: Plan } | undefined;
}

/** Whether a decorator of ours stands on the method, and not only on its class. */
export function isDecoratedItself({ own, coveredByClass }: GuardedMethod): boolean {
  return !coveredByClass || own.policies.length > 0 || own.resilient !== undefined;
}

/** Why a value was given on as it is. */
export function describePassed(value: unknown, method: GuardedMethod): string {
  const expected = isDecoratedItself(method)
    ? 'expected a promise, an Observable or an async iterable'
    : 'a decorator of the class guards native promises and plain Observables';
  return `it gave ${describeGiven(value)}; ${expected}`;
}
