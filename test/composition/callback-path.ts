import type { ExecuteOptions, PolicySet, ResilienceModuleOptions, TripTracker } from 'nestjs-bulwark';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function
type AnyFunction = (...args: any[]) => unknown;

/** Where functions stand in options of type `O`: `.retry.backoff.series`; in a list, `[]`. */
type FunctionsIn<O, At extends string> = unknown extends O
  ? never
  : O extends AnyFunction
    ? At
    : O extends AbortSignal | (abstract new (...args: never[]) => unknown)
      ? never
      : O extends readonly (infer E)[]
        ? FunctionsIn<E, `${At}[]`>
        : O extends object
          ? { [K in keyof O & string]-?: FunctionsIn<O[K], `${At}.${K}`> }[keyof O & string]
          : never;

/**
 * Every function that a user can give in options. A new one, anywhere in them, is a new member here, and so a missing row
 * of the table, which does not compile.
 */
export type CallbackPath =
  | FunctionsIn<PolicySet, 'set'>
  | FunctionsIn<ExecuteOptions, 'execute'>
  | FunctionsIn<Omit<ResilienceModuleOptions, 'policies'>, 'module'>
  | FunctionsIn<TripTracker, 'tracker'>;
