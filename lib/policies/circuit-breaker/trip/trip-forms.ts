import { ResilienceConfigurationError } from '../../../errors/configuration.error.js';
import { checkOptions, show } from '../../../kernel/options/check.js';
import { byNumber, byOptions, makeFrom, type Forms } from '../../../kernel/options/data-forms.js';
import { anyOf } from './any-of.js';
import { consecutiveFailures } from './consecutive-failures.js';
import { countWindow } from './count-window.js';
import { failureCount } from './failure-count.js';
import { failureRate } from './failure-rate.js';
import { slowCallRate } from './slow-call-rate.js';
import type { TripStrategy } from './trip-strategy.js';

/** The trip strategies that can stand in data. */
export const TRIP_FORMS: Forms = {
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
    return anyOf(...argument.map((one, index) => makeFrom(`${path}.${index}`, one, TRIP_FORMS) as TripStrategy));
  },
};

/** What makes trip strategies in code. */
export const TRIP_FACTORIES = [failureRate, failureCount, consecutiveFailures, countWindow, slowCallRate, anyOf];
