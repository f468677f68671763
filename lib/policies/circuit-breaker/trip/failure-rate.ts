import { made } from '../../../kernel/options/recipe.js';
import { seconds, type TripStrategy } from './trip-strategy.js';

/**
 * Opens when the failures in the rolling window reach `errorThresholdPercentage`, once it holds `volumeThreshold`
 * calls. The default.
 *
 * @publicApi
 */
export function failureRate(): TripStrategy {
  const strategy: TripStrategy = {
    name: 'failureRate',
    shouldTrip: (window) => {
      const { failures } = window;
      // Most calls succeed while nothing fails; the rest is read only when it matters.
      if (failures === 0) return false;
      const { calls, failureRate: rate, volumeThreshold, errorThresholdPercentage: limit } = window;
      return (
        calls >= volumeThreshold &&
        rate >= limit &&
        `${failures} of ${calls} calls failed in ${seconds(window.windowMs)}, limit ${limit} %`
      );
    },
  };
  return made(strategy, 'failureRate', undefined);
}
