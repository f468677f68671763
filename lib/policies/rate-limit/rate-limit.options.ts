import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import {
  aFunction,
  checkOptions,
  either,
  expectedOf,
  isPlainObject,
  MOST,
  numberUpTo,
  oneOf,
  positiveMs,
  show,
  wholeNumber,
  type Expectation,
} from '../../kernel/options/check.js';
import type { OnStoreError } from '../../kernel/cluster-rate-store.js';
import { rateLimitScope, type RateLimitScope } from '../../kernel/options/state-scope.js';
import { RATE_LIMIT_OPTIONS_ELSEWHERE } from './foreign-options.js';
import { checkCluster, clusterBurst } from './cluster/cluster-options.js';

/**
 * The limit of one named key: how much in the time of the others, or limits of its own.
 *
 * @publicApi
 */
export type RateLimitOverride = number | { limit: number; per?: number; burst?: number };

/**
 * How much may begin in which time, and what becomes of the rest.
 *
 * @publicApi
 */
export interface RateLimitOptions {
  /** How much may begin `per` ms: calls, or what `cost` charges; above 0. There is no default. */
  limit?: number;
  /** The time to which `limit` belongs, ms, above 0. There is no default. */
  per?: number;
  /**
   * How much may begin at once after a rest, and with it the most that one call may cost; above 0.
   *
   * @default limit; with `onLimit: 'queue'` calls are evenly spaced from the first one on; with `scope: 'cluster'` a
   * tenth of the limit, and at least 10 (of a smaller limit: all of it; in a queue: 1)
   */
  burst?: number;
  /**
   * What becomes of a call above the limit: it is refused, or it waits for its turn, in order of arrival and evenly
   * spaced, `per / limit` ms for each unit.
   *
   * @default 'reject'
   */
  onLimit?: 'reject' | 'queue';
  /**
   * The longest wait with `onLimit: 'queue'`, ms, above 0. Whose turn comes later is refused at once.
   *
   * @default none: as long as the call's own time limits allow
   */
  maxWait?: number;
  /**
   * Cold start: after a rest the rate is `limit / coldFactor` (above 1, by default 3), and rises to `limit` within
   * `over` ms of use; as long a rest makes it cold again.
   *
   * @default none
   */
  warmUp?: { over: number; coldFactor?: number };
  /** One limit for each key that this gives for the call's arguments. @default one limit for all calls */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are those of the guarded method
  key?: (...args: any[]) => string;
  /**
   * How many keys are told apart at once, from 1 to 1_000_000. A key whose limit is unused gives way to a new one; where there is
   * none, new keys share one limit, `name[*]`.
   *
   * @default 100_000
   */
  maxKeys?: number;
  /** Keys with limits of their own, beside `maxKeys`; 0 refuses a key for good. @default none */
  overrides?: Readonly<Record<string, RateLimitOverride>>;
  /** What a call costs, from 0: tokens, money. Whoever costs more than `burst` is always refused. @default 1 */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are those of the guarded method
  cost?: (...args: any[]) => number;
  /**
   * Whether all instances of the class share it, or each instance of a static provider has its own: `name#2` from the
   * second on. On a request-scoped or transient provider `'instance'` is a start-up error.
   *
   * `'cluster'`: all processes share it, which count in Redis; that needs `ResilienceRedisModule` of
   * `nestjs-bulwark/redis`.
   *
   * @default 'class'
   */
  scope?: RateLimitScope;
  /**
   * With `scope: 'cluster'`, what becomes of calls while Redis is away or slow. `'local'`: each process lets its part of
   * the limit through, the limit divided by the processes that were there last. `'open'`: all may begin. `'closed'`: none.
   *
   * @default that of `ResilienceRedisModule`, which is 'local'
   */
  onStoreError?: OnStoreError;
  /**
   * `'metricsOnly'`: it counts and tells what it would have refused (`refused` events with `metricsOnly`), and neither
   * refuses anything nor lets anything wait. @default 'normal'
   */
  mode?: 'normal' | 'metricsOnly';
}

/** The form in which a policy set takes a rate limit. */
export type RateLimitSetting = RateLimitOptions;

export type ResolvedRateLimit = RateLimitOptions &
  Required<Pick<RateLimitOptions, 'limit' | 'per' | 'onLimit' | 'maxKeys' | 'mode'>>;

export const RATE_LIMIT_DEFAULTS = {
  onLimit: 'reject',
  maxKeys: 100_000,
  mode: 'normal',
} as const satisfies RateLimitOptions;

/** How many times slower than `limit` a cold start is, as in Sentinel and Guava. */
export const DEFAULT_COLD_FACTOR = 3;

const positiveNumber = numberUpTo(MOST.count, 'a number above 0', (value) => value > 0);
const nonNegativeNumber = numberUpTo(MOST.count, 'a number from 0', (value) => value >= 0);
const aboveOne = numberUpTo(MOST.factor, 'a number above 1', (value) => value > 1);
const overrideObject: Expectation = { expected: '{ limit, per?, burst? }', accepts: () => false };
const coldStart: Expectation = {
  expected: '{ over: ms above 0, coldFactor?: a number above 1 }',
  accepts: (value) =>
    isPlainObject(value) &&
    positiveMs.accepts(value.over) &&
    (value.coldFactor === undefined || aboveOne.accepts(value.coldFactor)),
};
const limitsByKey: Expectation = {
  expected: 'an object of limits by key, such as { vip: 1_000 }',
  accepts: isPlainObject,
};

/** @throws ResilienceConfigurationError */
export function parseRateLimit(place: string, setting: unknown): RateLimitOptions {
  checkOptions<RateLimitOptions>(
    place,
    setting,
    {
      limit: positiveNumber,
      per: positiveMs,
      burst: positiveNumber,
      onLimit: oneOf('reject', 'queue'),
      maxWait: positiveMs,
      warmUp: coldStart,
      key: aFunction,
      maxKeys: wholeNumber(1, MOST.keys),
      overrides: limitsByKey,
      cost: aFunction,
      scope: rateLimitScope,
      onStoreError: oneOf('local', 'open', 'closed'),
      mode: oneOf('normal', 'metricsOnly'),
    },
    RATE_LIMIT_OPTIONS_ELSEWHERE,
  );
  const { warmUp } = setting;
  if (warmUp !== undefined)
    checkOptions<typeof warmUp>(`${place}: option 'warmUp'`, warmUp, { over: positiveMs, coldFactor: aboveOne });
  for (const [key, override] of Object.entries(setting.overrides ?? {})) {
    checkOverride(`${place}, option 'overrides', key ${show(key)}`, override);
  }
  return setting;
}

function checkOverride(place: string, override: unknown): void {
  const limit: unknown = isPlainObject(override) ? override.limit : override;
  const isWhole = isPlainObject(override) && limit !== undefined;
  if (!isWhole && !nonNegativeNumber.accepts(limit)) {
    throw new ResilienceConfigurationError(place, expectedOf(either(nonNegativeNumber, overrideObject), override));
  }
  if (!isPlainObject(override)) return;
  checkOptions<Exclude<RateLimitOverride, number>>(place, override, {
    limit: nonNegativeNumber,
    per: positiveMs,
    burst: positiveNumber,
  });
  if (limit === 0 && override.burst !== undefined) {
    throw new ResilienceConfigurationError(
      place,
      `option 'burst': expected none beside limit: 0, which refuses the key for good, got ${show(override.burst)}`,
    );
  }
}

/** @throws ResilienceConfigurationError when no call could ever begin, or the times are no numbers. */
function checkReach(
  place: string,
  { limit, per, burst }: { limit: number; per: number; burst?: number | undefined },
  costs: boolean,
): void {
  const most = burst ?? limit;
  if (!costs && most < 1) {
    const option = burst === undefined ? 'limit' : 'burst';
    throw new ResilienceConfigurationError(
      place,
      `option '${option}': expected at least 1, since a call costs 1, got ${show(most)}`,
    );
  }
  const intervalMs = per / limit;
  if (!(intervalMs > 0 && Math.max(1, most) * intervalMs < Infinity)) {
    throw new ResilienceConfigurationError(
      place,
      `options 'limit' and 'per': expected a time for each unit that is a number, got ${show(per)} ms / ${show(limit)}`,
    );
  }
}

/** Adds what follows from other options. @throws ResilienceConfigurationError when they do not make a limit together. */
export function resolveRateLimit(place: string, options: RateLimitOptions): ResolvedRateLimit {
  const { limit, per, onLimit } = options;
  if (limit === undefined || per === undefined) {
    const missing = limit === undefined ? 'limit' : 'per';
    throw new ResilienceConfigurationError(
      place,
      `a rate limit has no built-in value: expected '${missing}' here, in the named policy set, or in policies.default.rateLimit; got ${show(undefined)}`,
    );
  }
  if (options.overrides !== undefined && options.key === undefined) {
    throw new ResilienceConfigurationError(place, `option 'overrides': expected 'key' beside it, got no 'key'`);
  }
  if (options.maxWait !== undefined && onLimit !== 'queue') {
    throw new ResilienceConfigurationError(
      place,
      `option 'maxWait': expected onLimit: 'queue' beside it, got onLimit: ${show(onLimit)}`,
    );
  }
  checkReach(place, { limit, per, burst: options.burst }, options.cost !== undefined);
  for (const [key, override] of Object.entries(options.overrides ?? {})) {
    const own: Exclude<RateLimitOverride, number> = typeof override === 'number' ? { limit: override } : override;
    if (own.limit === 0) continue;
    const rate = { ...own, per: own.per ?? per };
    checkReach(`${place}, option 'overrides', key ${show(key)}`, rate, options.cost !== undefined);
  }
  checkCluster(place, options);
  const shared = options.scope === 'cluster' ? clusterBurst(limit, onLimit) : undefined;
  const burst = options.burst ?? shared ?? (onLimit === 'queue' ? undefined : limit);
  return { ...RATE_LIMIT_DEFAULTS, ...options, limit, per, ...(burst === undefined ? {} : { burst }) };
}
