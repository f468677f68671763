import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import type { CallInfo } from '../call-info.js';
import { aFunction, checkOptions, isPlainObject, type Expectation, type Shape } from '../options/check.js';
import { made } from '../options/recipe.js';
import { BACKOFF_OPTIONS_ELSEWHERE } from './foreign-options.js';

/**
 * The pause before the next attempt, in ms.
 *
 * @param attempt the number of the attempt that failed: 1 before the second call.
 * @param error what it ended with: an error, or the result that `retryOnResult` named.
 * @publicApi
 */
export type BackoffFunction = (attempt: number, error: unknown, call: CallInfo) => number;

/** How much of a computed pause is left to chance: none, all of it, or its second half. */
export type Jitter = 'none' | 'full' | 'equal';

/**
 * A series of pauses. {@link decorrelatedJitter} looks back at the pause before, so a series is started anew for each
 * call.
 *
 * @publicApi
 */
export interface Backoff {
  readonly kind: string;
  /** What it was made from, as `plan()` shows it. */
  readonly options: Readonly<Record<string, unknown>>;
  /** @param random a number in [0, 1). */
  series(random: () => number): BackoffFunction;
}

/** What `backoff` takes: one of the ready series, or a function of the attempt. */
export type BackoffSetting = Backoff | BackoffFunction;

export const backoffExpectation: Expectation = {
  expected:
    'fixed(), linear(), exponential(), fibonacci(), decorrelatedJitter(), or a function (attempt, error, call) => ms that is not async',
  accepts: (value) => aFunction.accepts(value) || (isPlainObject(value) && aFunction.accepts(value.series)),
};

/** Notes that a series is one of ours: two of one kind with the same options are the same. */
export function madeBackoff(backoff: Backoff): Backoff {
  return made(backoff, backoff.kind, backoff.options);
}

/** Starts the pauses of one call. */
export function startSeries(setting: BackoffSetting, random: () => number): BackoffFunction {
  return typeof setting === 'function' ? setting : setting.series(random);
}

/** Checks the options of a ready series and puts in its defaults. */
export function resolveBackoff<O extends { max?: number; initial?: number }>(
  kind: string,
  options: O,
  shape: Shape<O>,
  defaults: Required<O>,
): Required<O> {
  checkOptions(`backoff ${kind}()`, options, shape, BACKOFF_OPTIONS_ELSEWHERE);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const resolved = { ...defaults, ...given } as Required<O>;
  if ((resolved.max ?? Infinity) < (resolved.initial ?? 0)) {
    throw new ResilienceConfigurationError(
      `backoff ${kind}()`,
      `option 'max': expected at least 'initial' (${resolved.initial}), got ${given['max'] === undefined ? 'its default, ' : ''}${resolved.max}`,
    );
  }
  return resolved;
}
