import { adaptive } from '../kernel/adaptive-limit/adaptive.options.js';
import { anyOf } from '../policies/circuit-breaker/trip/any-of.js';
import { consecutiveFailures } from '../policies/circuit-breaker/trip/consecutive-failures.js';
import { countWindow } from '../policies/circuit-breaker/trip/count-window.js';
import { failureCount } from '../policies/circuit-breaker/trip/failure-count.js';
import { failureRate } from '../policies/circuit-breaker/trip/failure-rate.js';
import { slowCallRate } from '../policies/circuit-breaker/trip/slow-call-rate.js';
import type { TripStrategy } from '../policies/circuit-breaker/trip/trip-strategy.js';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { checkOptions, isPlainObject, show } from '../kernel/options/check.js';
import { placed } from '../kernel/options/placed.js';
import type { SetKey } from '../policies/policy-set.js';
import { decorrelatedJitter } from '../kernel/backoff/decorrelated-jitter.js';
import { exponential } from '../kernel/backoff/exponential.js';
import { fibonacci } from '../kernel/backoff/fibonacci.js';
import { fixed } from '../kernel/backoff/fixed.js';
import { linear } from '../kernel/backoff/linear.js';

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

const CONCURRENCY: Forms = { adaptive: byOptions(adaptive) };

/** The options whose value code makes with a function, and the functions that can stand in data. */
const MADE: Readonly<Partial<Record<SetKey, Readonly<Record<string, Forms>>>>> = {
  retry: { backoff: BACKOFFS },
  circuitBreaker: { trip: TRIPS, resetTimeout: BACKOFFS },
  bulkhead: { maxConcurrent: CONCURRENCY },
};

/**
 * A setting in which data, as YAML and JSON hold it, has become what code would give: an object with one key calls the
 * function of that name, with what stands under it. Whatever has not that form stays as it is.
 *
 * @throws ResilienceConfigurationError for what the function refuses.
 */
export function withMade(place: string, key: SetKey, setting: unknown): unknown {
  const forms = MADE[key];
  const whole = longForm(key, setting);
  if (forms === undefined || !isPlainObject(whole)) return setting;
  const made: Record<string, unknown> = {};
  for (const [option, known] of Object.entries(forms)) {
    const data = Object.hasOwn(whole, option) ? whole[option] : undefined;
    if (hasForm(data, known))
      made[option] = placed(`${place}.${option}`, () => make(`${place}.${option}`, data, known));
  }
  return Object.keys(made).length === 0 ? setting : { ...whole, ...made };
}

/** `bulkhead: { adaptive: ... }` is short for what its option `maxConcurrent` takes. */
export function longForm(key: SetKey, setting: unknown): unknown {
  return key === 'bulkhead' && hasForm(setting, CONCURRENCY) ? { maxConcurrent: setting } : setting;
}

/**
 * Makes of an option's data what code would give, where nothing but data can stand.
 *
 * @throws ResilienceConfigurationError
 */
export function fromData(path: string, key: SetKey, option: string, data: unknown): unknown {
  const made = MADE[key];
  if (made === undefined || !Object.hasOwn(made, option)) return data;
  return isPlainObject(data) || option === 'trip' ? make(path, data, made[option] as Forms) : data;
}

function hasForm(data: unknown, forms: Forms): data is Record<string, unknown> {
  if (!isPlainObject(data)) return false;
  const [name, ...others] = Object.keys(data);
  return name !== undefined && others.length === 0 && Object.hasOwn(forms, name);
}

function make(path: string, data: unknown, forms: Forms): unknown {
  if (!hasForm(data, forms)) {
    const known = Object.keys(forms).join(', ');
    throw new ResilienceConfigurationError(
      path,
      `expected an object with one key, which is one of: ${known}; got ${show(data)}`,
    );
  }
  const [name] = Object.keys(data) as [string];
  return (forms[name] as Maker)(`${path}.${name}`, data[name]);
}
