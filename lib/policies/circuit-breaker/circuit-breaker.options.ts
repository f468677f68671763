import type { CallInfo } from '../../kernel/call-info.js';
import { BACKOFF_FACTORIES } from '../../kernel/backoff/backoff-forms.js';
import type { BackoffRule } from '../../kernel/backoff/backoff-rule.js';
import type { OrData } from '../../kernel/options/or-data.js';
import type { TripRule } from './trip/trip-rule.js';
import type { ErrorMatch } from '../../kernel/error-match.js';
import {
  aBoolean,
  aFunction,
  aName,
  checkOptions,
  either,
  errorMatch,
  fraction,
  isPlainObject,
  MOST,
  nonNegativeInteger,
  nonNegativeMs,
  offOr,
  oneOf,
  percentage,
  positiveMs,
  wholeNumber,
  type Expectation,
  type Shape,
} from '../../kernel/options/check.js';
import { BREAKER_OPTIONS_ELSEWHERE } from './foreign-options.js';
import { failureRate } from './trip/failure-rate.js';
import { stateScope, type StateScope } from '../../kernel/options/state-scope.js';
import { TRIP_FACTORIES } from './trip/trip-forms.js';
import { tripStrategy, type TripStrategy } from './trip/trip-strategy.js';

/** A series of open times; the backoffs of retries fit. */
export interface OpenTimeSeries {
  readonly kind: string;
  series(random: () => number): (opening: number, error: unknown, call: never) => number;
}

/**
 * When a breaker opens, how long it stays open and how it closes. The names that opossum knows mean what its
 * documentation says.
 *
 * @see https://nodeshift.dev/opossum/
 * @publicApi
 */
export interface CircuitBreakerOptions {
  /** The limit of each attempt of a method that has none of its own, ms; `false`: none. @default 10_000 */
  timeout?: number | false;
  /** The share of failures that opens, 0 to 100; reached at >=. @default 50 */
  errorThresholdPercentage?: number;
  /** How many calls the window must hold before a rate is judged; from 0. @default 10 */
  volumeThreshold?: number;
  /** How far back the rolling window reaches, ms. @default 10_000 */
  rollingCountTimeout?: number;
  /** Into how many buckets it is divided, from 1 to 10_000. @default 10 */
  rollingCountBuckets?: number;
  /** Whether latency percentiles are kept. @default true */
  rollingPercentilesEnabled?: boolean;
  /**
   * How long it stays open before it lets a probe through, ms; or a backoff that grows with each opening in a row. A
   * `Retry-After` of what opened it is a lower bound, up to 60 s. `resetJitter` spreads the time: take `jitter: 'none'`, since the
   * full one of a backoff may make it next to nothing.
   *
   * @example exponential({ initial: 1_000, max: 30_000, jitter: 'none' })
   * @default 30_000
   */
  resetTimeout?: number | OpenTimeSeries | ((opening: number) => number);
  /** Lengthens the open time by up to this share at random, so that instances do not probe together; 0 to 1. @default 0.1 */
  resetJitter?: number;
  /** Whether it does not open within its first `rollingCountTimeout`. @default false */
  allowWarmUp?: boolean;
  /** Says that an error, a TimeoutException too, is to count nowhere: neither failure nor success. @default none */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- opossum's signature; the arguments are those of the guarded method
  errorFilter?: (error: any, ...args: any[]) => boolean;
  /**
   * Names errors by which the dependency has answered: a class, a list of them, or a predicate `(error, call)`, which is asked
   * of a TimeoutException too. Such an error is a success, where it would be a failure; `errorFilter` goes before it.
   *
   * @example
   * answerOn: [InsufficientFundsError, (error) => (error as { code?: string }).code === 'NOT_FOUND']
   * @default none
   */
  answerOn?: ErrorMatch;
  /** Says that a result is a failure. @default none */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the result is that of the guarded method
  isFailure?: (result: any, call: CallInfo) => boolean;
  /** The group that opossum's tools show. @default the breaker's name */
  group?: string;
  /** Whether it judges and refuses at all. @default true */
  enabled?: boolean;
  /** When it opens. @default failureRate() */
  trip?: TripStrategy;
  /** How many probes run in half-open; each is judged, and decides with the others whether it closes. @default 1 */
  halfOpenCalls?: number;
  /**
   * The share of the `halfOpenCalls` probes that may fail, 0 to 100: it reopens as soon as more have, and closes when all
   * are judged. With 0 all must succeed, and one failure reopens. Under `slowCallRate` a slow probe is a failure too.
   *
   * @example
   * { halfOpenCalls: 10, halfOpenErrorThresholdPercentage: 20 } // two may fail, the third reopens
   * @default 0
   */
  halfOpenErrorThresholdPercentage?: number;
  /** A probe that takes longer than this reopens it, ms. @default 30_000 */
  halfOpenMaxWait?: number;
  /**
   * After its probes have closed it, it admits a share of the calls that grows from `from` (0 to 1) to all `over` ms. By
   * hand (`reset`, `forceClose`, `enable`) it closes wholly. @default none
   */
  recovery?: { over: number; from: number };
  /**
   * One breaker for each key that this gives for the call's arguments; a key longer than 512 bytes is kept as its hash.
   * @default one breaker for all calls
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are those of the guarded method
  key?: (...args: any[]) => string;
  /** How many keys have a breaker at once, from 1 to 1_000_000. @default 1_000 */
  maxKeys?: number;
  /**
   * Whether all instances of the class share it, or each instance of a static provider has its own: `name#2` from the
   * second on. On a request-scoped or transient provider `'instance'` is a start-up error. @default 'class'
   */
  scope?: StateScope;
  /**
   * `'metricsOnly'`: it judges, refuses nothing, and tells what it would have done (`stateChange` and `refused` events with
   * `metricsOnly`). `stats` counts what it would have refused, and what became of those calls all the same.
   * @default 'normal'
   */
  mode?: 'normal' | 'metricsOnly';
}

type Defaulted =
  | 'timeout'
  | 'errorThresholdPercentage'
  | 'volumeThreshold'
  | 'rollingCountTimeout'
  | 'rollingCountBuckets'
  | 'rollingPercentilesEnabled'
  | 'resetTimeout'
  | 'resetJitter'
  | 'allowWarmUp'
  | 'enabled'
  | 'trip'
  | 'halfOpenCalls'
  | 'halfOpenErrorThresholdPercentage'
  | 'halfOpenMaxWait'
  | 'maxKeys'
  | 'mode';

/** The forms in which a policy set takes a breaker: the defaults, or options. */
export type CircuitBreakerSetting = true | CircuitBreakerOptions | CircuitBreakerConfig;

/** Options as configuration holds them: the trip strategy and the backoff of the open time may be data. */
export type CircuitBreakerConfig = OrData<CircuitBreakerOptions, { trip: TripRule; resetTimeout: BackoffRule }>;

export type ResolvedCircuitBreaker = Required<Pick<CircuitBreakerOptions, Defaulted>> & CircuitBreakerOptions;

export const CIRCUIT_BREAKER_DEFAULTS = {
  timeout: 10_000,
  errorThresholdPercentage: 50,
  volumeThreshold: 10,
  rollingCountTimeout: 10_000,
  rollingCountBuckets: 10,
  rollingPercentilesEnabled: true,
  resetTimeout: 30_000,
  resetJitter: 0.1,
  allowWarmUp: false,
  enabled: true,
  trip: failureRate(),
  halfOpenCalls: 1,
  halfOpenErrorThresholdPercentage: 0,
  halfOpenMaxWait: 30_000,
  maxKeys: 1_000,
  mode: 'normal',
} as const satisfies CircuitBreakerOptions;

/** The open time that a dependency's own `Retry-After` may ask for at most, ms. */
export const MAX_RETRY_AFTER_MS = 60_000;

const openTimeSeries: Expectation = {
  expected: "a backoff such as exponential({ initial: 1_000, max: 60_000, jitter: 'none' })",
  accepts: (value) => isPlainObject(value) && aFunction.accepts(value.series),
};
const ramp: Expectation = {
  expected: '{ over: ms above 0, from: a number from 0 to 1 }',
  accepts: (value) => isPlainObject(value) && positiveMs.accepts(value.over) && fraction.accepts(value.from),
};

export const CIRCUIT_BREAKER_SHAPE: Shape<CircuitBreakerOptions> = {
  timeout: offOr(positiveMs),
  errorThresholdPercentage: percentage,
  volumeThreshold: nonNegativeInteger,
  rollingCountTimeout: positiveMs,
  rollingCountBuckets: wholeNumber(1, MOST.buckets),
  rollingPercentilesEnabled: aBoolean,
  resetTimeout: either(nonNegativeMs, { ...openTimeSeries, factories: BACKOFF_FACTORIES }, aFunction),
  resetJitter: fraction,
  allowWarmUp: aBoolean,
  errorFilter: aFunction,
  answerOn: errorMatch,
  isFailure: aFunction,
  group: aName,
  enabled: aBoolean,
  trip: { ...tripStrategy, factories: TRIP_FACTORIES },
  halfOpenCalls: wholeNumber(1, MOST.atOnce),
  halfOpenErrorThresholdPercentage: percentage,
  halfOpenMaxWait: positiveMs,
  recovery: ramp,
  key: aFunction,
  maxKeys: wholeNumber(1, MOST.keys),
  scope: stateScope,
  mode: oneOf('normal', 'metricsOnly'),
};

/**
 * @param shape the options that may be there.
 * @throws ResilienceConfigurationError
 */
export function parseCircuitBreaker(
  place: string,
  setting: unknown,
  shape: Partial<Shape<CircuitBreakerOptions>> = CIRCUIT_BREAKER_SHAPE,
): CircuitBreakerOptions {
  if (setting === true) return {};
  checkOptions<CircuitBreakerOptions>(place, setting, shape as Shape<CircuitBreakerOptions>, BREAKER_OPTIONS_ELSEWHERE);
  const { recovery } = setting;
  if (recovery !== undefined)
    checkOptions<typeof recovery>(`${place}: option 'recovery'`, recovery, { over: positiveMs, from: fraction });
  return setting;
}
