import { checkValue, positiveInteger } from '../../../kernel/options/check.js';
import { made } from '../../../kernel/options/recipe.js';
import { failuresOf, type TripStrategy } from './trip-strategy.js';

/**
 * Opens after `limit` failures in a row.
 *
 * @param limit from 1.
 * @publicApi
 */
export function consecutiveFailures(limit: number): TripStrategy {
  checkValue('trip strategy consecutiveFailures()', 'limit', limit, positiveInteger);
  const strategy: TripStrategy = {
    name: `consecutiveFailures(${limit})`,
    shouldTrip: ({ consecutiveFailures: inARow }) =>
      inARow >= limit && `${failuresOf(inARow)} in a row, limit ${limit}`,
  };
  return made(strategy, 'consecutiveFailures', limit);
}
