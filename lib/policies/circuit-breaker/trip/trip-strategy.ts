import { aFunction, aName, isPlainObject, type Expectation } from '../../../kernel/options/check.js';

/**
 * What a trip strategy sees: counts of the rolling window.
 *
 * @publicApi
 */
export interface TripWindow {
  /** Successes and failures; refused and ignored calls are no calls here. */
  readonly calls: number;
  readonly successes: number;
  readonly failures: number;
  /** Failures since the last success. */
  readonly consecutiveFailures: number;
  /** Failures in percent of the calls, 0 to 100; 0 without calls. */
  readonly failureRate: number;
  /** The mean time of a success in ms; undefined without a success. */
  readonly meanSuccessMs: number | undefined;
  /** How far back the window reaches, ms. */
  readonly windowMs: number;
  /** The breaker's option of that name. */
  readonly volumeThreshold: number;
  /** The breaker's option of that name. */
  readonly errorThresholdPercentage: number;
}

/**
 * Says when a breaker opens. It is asked after every counted call, a success too.
 *
 * @example
 * const lonely: TripStrategy = { name: 'lonely', shouldTrip: (w) => w.failures > 3 && 'more than three failures' };
 *
 * @publicApi
 */
export interface TripStrategy {
  readonly name: string;
  /** Whether to open; a string is the reason, as it stands in events and errors. */
  shouldTrip(window: TripWindow): boolean | string;
  /** A strategy that keeps counts of its own gives each breaker its own here. */
  track?(windowMs: number, buckets: number): TripTracker;
}

/** The part of a strategy that belongs to one breaker. */
export interface TripTracker {
  record?(failed: boolean, latencyMs: number, now: number): void;
  /** An attempt was cut since a faster one had answered: it has no outcome, but ran for at least this long. */
  recordLost?(ranMs: number, now: number): void;
  /**
   * Whether a probe of a half-open breaker has failed although it gave an answer, by how long it took, ms; a string is
   * the reason. Without it every answer is a success of the probe.
   */
  failsProbe?(latencyMs: number): boolean | string;
  /** The share of slow calls in the window, 0 to 1, of a strategy that counts them. */
  readonly slowCallRatio?: number | undefined;
  reset?(): void;
  shouldTrip(window: TripWindow): boolean | string;
}

/** What stands for one in options. */
export const tripStrategy: Expectation = {
  expected:
    'failureRate(), consecutiveFailures(n), failureCount(n), countWindow(), slowCallRate(), anyOf(), or an object { name, shouldTrip(window), track?() } whose functions are not async',
  accepts: (value) =>
    isPlainObject(value) &&
    aName.accepts(value.name) &&
    aFunction.accepts(value.shouldTrip) &&
    (value.track === undefined || aFunction.accepts(value.track)),
};

/** Seconds as people read them. */
export function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

/** A number of failures as people read it. */
export function failuresOf(count: number): string {
  return count === 1 ? '1 failure' : `${count} failures`;
}
