import { ResilienceConfigurationError } from '../../../errors/configuration.error.js';
import { heed, isObject, isThenable } from '../../../errors/foreign.js';
import { checkValue } from '../../../kernel/options/check.js';
import { made } from '../../../kernel/options/recipe.js';
import { tripStrategy, type TripStrategy, type TripTracker } from './trip-strategy.js';

const PLACE = 'trip strategy anyOf()';

/**
 * Opens as soon as one of several strategies says so; so does a probe fail.
 *
 * @publicApi
 */
export function anyOf(...strategies: readonly TripStrategy[]): TripStrategy {
  if (strategies.length === 0)
    throw new ResilienceConfigurationError(PLACE, 'expected at least one strategy, got none');
  for (const [index, strategy] of strategies.entries())
    checkValue(PLACE, `strategy ${index + 1}`, strategy, tripStrategy);
  const strategy: TripStrategy = {
    name: `anyOf(${strategies.map(({ name }) => name).join(', ')})`,
    shouldTrip: () => false,
    track: (windowMs, buckets) => combine(strategies.map((strategy) => trackerOf(strategy, windowMs, buckets))),
  };
  return made(strategy, 'anyOf', strategies);
}

/** One that cannot track says so each time it is asked; the others go on. */
function trackerOf(strategy: TripStrategy, windowMs: number, buckets: number): TripTracker {
  try {
    return strategy.track?.(windowMs, buckets) ?? strategy;
  } catch (error) {
    const shouldTrip = (): never => {
      throw error;
    };
    return { shouldTrip };
  }
}

function combine(trackers: readonly TripTracker[]): TripTracker {
  return {
    record: (failed, latencyMs, now) => tellAll(trackers, (tracker) => tracker.record?.(failed, latencyMs, now)),
    recordLost: (ranMs, now) => tellAll(trackers, (tracker) => tracker.recordLost?.(ranMs, now)),
    get slowCallRatio() {
      return trackers.map(({ slowCallRatio }) => slowCallRatio).find((ratio) => ratio !== undefined);
    },
    reset: () => tellAll(trackers, (tracker) => tracker.reset?.()),
    failsProbe: (latencyMs) => firstVerdict(trackers, (tracker) => tracker.failsProbe?.(latencyMs)),
    shouldTrip: (window) => firstVerdict(trackers, (tracker) => tracker.shouldTrip(window)),
  };
}

/** One that throws, now or later, keeps nothing from the others; it is told when all have heard. */
function tellAll(trackers: readonly TripTracker[], tell: (tracker: TripTracker) => unknown): void {
  const failures: unknown[] = [];
  for (const tracker of trackers) {
    try {
      const answer = tell(tracker);
      if (!isThenable(answer)) continue;
      heed(answer, () => undefined);
      failures.push(new TypeError('expected a strategy that counts at once, got a promise'));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** One that throws or gives no verdict does not silence the others; it is told when none of them opens. */
function firstVerdict(trackers: readonly TripTracker[], question: (tracker: TripTracker) => unknown): boolean | string {
  const failures: (() => boolean | string)[] = [];
  for (const tracker of trackers) {
    try {
      const verdict = question(tracker);
      if (verdict === true || (typeof verdict === 'string' && verdict !== '')) return verdict;
      if (isObject(verdict)) {
        heed(verdict, () => undefined);
        failures.push(() => verdict as never);
      }
    } catch (error) {
      failures.push(() => {
        throw error;
      });
    }
  }
  return failures[0]?.() ?? false;
}
