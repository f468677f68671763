import { checkValue, positiveInteger } from '../../../kernel/options/check.js';
import { made } from '../../../kernel/options/recipe.js';
import { failuresOf, seconds, type TripStrategy } from './trip-strategy.js';

/**
 * Opens after `limit` failures within the rolling window, however many calls succeed.
 *
 * @param limit from 1.
 * @publicApi
 */
export function failureCount(limit: number): TripStrategy {
  checkValue('trip strategy failureCount()', 'limit', limit, positiveInteger);
  const strategy: TripStrategy = {
    name: `failureCount(${limit})`,
    shouldTrip: ({ failures, windowMs }) =>
      failures >= limit && `${failuresOf(failures)} in ${seconds(windowMs)}, limit ${limit}`,
  };
  return made(strategy, 'failureCount', limit);
}
