import { seconds, type TripStrategy } from './trip-strategy.js';

/**
 * Opens when the failures in the rolling window reach `errorThresholdPercentage`, once it holds `volumeThreshold`
 * calls. The default.
 *
 * @publicApi
 */
export function failureRate(): TripStrategy {
  return {
    name: 'failureRate',
    shouldTrip: ({ calls, failures, failureRate: rate, volumeThreshold, errorThresholdPercentage: limit, windowMs }) =>
      failures > 0 &&
      calls >= volumeThreshold &&
      rate >= limit &&
      `${failures} of ${calls} calls failed in ${seconds(windowMs)}, limit ${limit} %`,
  };
}
