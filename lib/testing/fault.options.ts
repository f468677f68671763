import { instanceOf } from '../errors/foreign.js';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import {
  aBoolean,
  aFunction,
  checkOptions,
  fraction,
  nonNegativeMs,
  type Expectation,
  type Shape,
} from '../kernel/options/check.js';
import type { AnyClass } from '../guarded/guarded-method.js';
import type { FaultCall } from './fault-call.js';

/**
 * What a fault meets: a class, a method of one, or by name: `'Class.method'`, a policy set, or whatever policies share, such
 * as a breaker.
 *
 * @publicApi
 */
export type FaultTarget = AnyClass | readonly [type: AnyClass, method: string] | string;

/**
 * A fault to put into an app. At least one of `latency`, `error` and `hang`; of the last two only one.
 *
 * @publicApi
 */
export interface FaultOptions {
  readonly target: FaultTarget;
  /** How long an attempt takes before anything else, ms; or between two bounds by chance. @default 0 */
  readonly latency?: number | readonly [least: number, most: number] | undefined;
  /** What an attempt throws, or a function that makes it. @default nothing */
  readonly error?: Error | ((call: FaultCall) => unknown) | undefined;
  /** The attempt never answers, until it is cut. @default false */
  readonly hang?: boolean | undefined;
  /** The part of the attempts that meet it, 0 to 1. @default 1 */
  readonly rate?: number | undefined;
  /** The same seed gives the same chance, attempt by attempt. A whole number. @default 1 */
  readonly seed?: number | undefined;
  /** Which attempts can meet it: by a header of the request, arguments, the environment. @default all */
  readonly when?: ((call: FaultCall) => boolean) | undefined;
}

const anything: Expectation = { expected: 'a class, a method of one, or a name', accepts: () => true };
const milliseconds: Expectation = {
  expected: `${nonNegativeMs.expected}, or two of them, the lower one first`,
  accepts: (value) =>
    nonNegativeMs.accepts(value) ||
    (Array.isArray(value) &&
      value.length === 2 &&
      value.every((one) => nonNegativeMs.accepts(one)) &&
      (value[0] as number) <= (value[1] as number)),
};
const errorOrMaker: Expectation = {
  expected: 'an Error, or a function that makes one',
  accepts: (value) => instanceOf(value, Error) || typeof value === 'function',
};
const wholeNumber: Expectation = { expected: 'a whole number', accepts: (value) => Number.isSafeInteger(value) };

const SHAPE: Shape<FaultOptions> = {
  target: anything,
  latency: milliseconds,
  error: errorOrMaker,
  hang: aBoolean,
  rate: fraction,
  seed: wholeNumber,
  when: aFunction,
};

/** @throws ResilienceConfigurationError naming the option, its value and what was expected. */
export function checkFault(place: string, options: unknown): asserts options is FaultOptions {
  checkOptions<FaultOptions>(place, options, SHAPE);
  const { target, latency, error, hang } = options;
  if ((target as unknown) === undefined)
    throw new ResilienceConfigurationError(place, `option 'target': expected ${anything.expected}, got undefined`);
  if (error !== undefined && hang === true)
    throw new ResilienceConfigurationError(place, 'expected one of error and hang, got both');
  if (latency === undefined && error === undefined && hang !== true)
    throw new ResilienceConfigurationError(place, 'expected at least one of latency, error and hang, got none');
}
