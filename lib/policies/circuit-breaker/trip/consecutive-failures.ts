import { checkValue, positiveInteger } from '../../../kernel/options/check.js';
import { made } from '../../../kernel/options/recipe.js';
import type { TripStrategy } from './trip-strategy.js';

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
    shouldTrip: ({ consecutiveFailures: inARow }) => inARow >= limit && `${inARow} failures in a row, limit ${limit}`,
  };
  return made(strategy, 'consecutiveFailures', limit);
}
