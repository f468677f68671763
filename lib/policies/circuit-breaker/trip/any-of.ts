import { ResilienceConfigurationError } from '../../../errors/configuration.error.js';
import type { TripStrategy, TripTracker } from './trip-strategy.js';

/**
 * Opens as soon as one of several strategies says so.
 *
 * @publicApi
 */
export function anyOf(...strategies: readonly TripStrategy[]): TripStrategy {
  if (strategies.length === 0)
    throw new ResilienceConfigurationError('trip strategy anyOf()', 'expected at least one strategy, got none');
  return {
    name: `anyOf(${strategies.map(({ name }) => name).join(', ')})`,
    shouldTrip: () => false,
    track: (windowMs, buckets) =>
      combine(strategies.map((strategy) => strategy.track?.(windowMs, buckets) ?? strategy)),
  };
}

function combine(trackers: readonly TripTracker[]): TripTracker {
  return {
    record: (failed, latencyMs, now) => {
      for (const tracker of trackers) tracker.record?.(failed, latencyMs, now);
    },
    recordLost: (ranMs, now) => {
      for (const tracker of trackers) tracker.recordLost?.(ranMs, now);
    },
    reset: () => {
      for (const tracker of trackers) tracker.reset?.();
    },
    shouldTrip: (window) => {
      let failure: { error: unknown } | undefined;
      for (const tracker of trackers) {
        try {
          const verdict = tracker.shouldTrip(window);
          if (verdict !== false) return verdict;
        } catch (error) {
          failure ??= { error };
        }
      }
      // One that throws does not silence the others; it is told when none of them opens.
      if (failure !== undefined) throw failure.error;
      return false;
    },
  };
}
