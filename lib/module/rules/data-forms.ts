import { adaptive } from '../../policies/adaptive-limit/adaptive.options.js';
import { anyOf } from '../../policies/circuit-breaker/trip/any-of.js';
import { consecutiveFailures } from '../../policies/circuit-breaker/trip/consecutive-failures.js';
import { countWindow } from '../../policies/circuit-breaker/trip/count-window.js';
import { failureCount } from '../../policies/circuit-breaker/trip/failure-count.js';
import { failureRate } from '../../policies/circuit-breaker/trip/failure-rate.js';
import { slowCallRate } from '../../policies/circuit-breaker/trip/slow-call-rate.js';
import type { TripStrategy } from '../../policies/circuit-breaker/trip/trip-strategy.js';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { checkOptions, isPlainObject, show } from '../../policies/options/check.js';
import type { SetKey } from '../../policies/policy-set.js';
import { decorrelatedJitter } from '../../policies/retry/backoff/decorrelated-jitter.js';
import { exponential } from '../../policies/retry/backoff/exponential.js';
import { fibonacci } from '../../policies/retry/backoff/fibonacci.js';
import { fixed } from '../../policies/retry/backoff/fixed.js';
import { linear } from '../../policies/retry/backoff/linear.js';

type Maker = (path: string, argument: unknown) => unknown;

/** Makers by the names of the functions that code calls. */
type Forms = Readonly<Record<string, Maker>>;

/** A function that takes an options object. */
const byOptions =
  (make: (options: never) => unknown): Maker =>
  (path, argument) => {
    if (!isPlainObject(argument))
      throw new ResilienceConfigurationError(path, `expected an options object, got ${show(argument)}`);
    return make(argument as never);
  };

const byNumber =
  (make: (number: number) => unknown): Maker =>
  (_path, argument) =>
    make(argument as number);

const BACKOFFS: Forms = {
  fixed: byNumber(fixed),
  linear: byOptions(linear),
  exponential: byOptions(exponential),
  fibonacci: byOptions(fibonacci),
  decorrelatedJitter: byOptions(decorrelatedJitter),
};

const TRIPS: Forms = {
  failureRate: (path, argument) => {
    checkOptions<object>(path, argument, {});
    return failureRate();
  },
  failureCount: byNumber(failureCount),
  consecutiveFailures: byNumber(consecutiveFailures),
  countWindow: byOptions(countWindow),
  slowCallRate: byOptions(slowCallRate),
  anyOf: (path, argument) => {
    if (!Array.isArray(argument))
      throw new ResilienceConfigurationError(path, `expected a list of trip strategies, got ${show(argument)}`);
    return anyOf(...argument.map((one, index) => make(`${path}.${index}`, one, TRIPS) as TripStrategy));
  },
};

/** The options whose value code makes with a function, and the functions that can stand in data. */
const MADE: Readonly<Partial<Record<SetKey, Readonly<Record<string, Forms>>>>> = {
  retry: { backoff: BACKOFFS },
  circuitBreaker: { trip: TRIPS, resetTimeout: BACKOFFS },
  bulkhead: { maxConcurrent: { adaptive: byOptions(adaptive) } },
};

/**
 * Makes of an option's data what code would give: an object with one key calls the function of that name, with what
 * stands under it.
 *
 * @throws ResilienceConfigurationError
 */
export function fromData(path: string, key: SetKey, option: string, data: unknown): unknown {
  const made = MADE[key];
  if (made === undefined || !Object.hasOwn(made, option)) return data;
  return isPlainObject(data) || option === 'trip' ? make(path, data, made[option] as Forms) : data;
}

function make(path: string, data: unknown, forms: Forms): unknown {
  const [name, ...others] = isPlainObject(data) ? Object.keys(data) : [];
  if (!isPlainObject(data) || name === undefined || others.length > 0 || !Object.hasOwn(forms, name)) {
    const known = Object.keys(forms).join(', ');
    throw new ResilienceConfigurationError(
      path,
      `expected an object with one key, which is one of: ${known}; got ${show(data)}`,
    );
  }
  return (forms[name] as Maker)(`${path}.${name}`, data[name]);
}
