import type { Cluster, Redis } from 'ioredis';
import { maskCredentials } from '../../errors/mask-credentials.js';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import type { OnStoreError } from '../../kernel/cluster-rate-store.js';
import {
  aName,
  checkOptions,
  isPlainObject,
  oneOf,
  show,
  wholeNumber,
  type Expectation,
} from '../../kernel/options/check.js';

/**
 * Where the processes of an app count together, and what they do while that is away.
 *
 * @publicApi
 */
export interface RedisModuleOptions {
  /** `redis://` or, with TLS, `rediss://`. Either this or `client`. */
  url?: string;
  /**
   * A client of ioredis, also of a Redis Cluster or of Sentinels. It is duplicated, since limits must not wait as other
   * commands may, and stays with whoever made it. Either this or `url`.
   */
  client?: Redis | Cluster;
  /** What its keys begin with: apps that share a Redis and no limits have different ones. @default 'bulwark' */
  prefix?: string;
  /**
   * What becomes of calls while Redis is away or slow. `'local'`: each process lets its part of a limit through, the limit
   * divided by the processes that were there last. `'open'`: all may begin. `'closed'`: none. A limit may say it itself.
   *
   * @default 'local'
   */
  onStoreError?: OnStoreError;
  /** How many processes there are, as long as Redis was never reached, from 1. @default 1 */
  expectedProcesses?: number;
  /** The longest that a call waits for Redis, ms, from 1 to 10_000. @default 50 */
  commandTimeout?: number;
}

/** Gives the module's options, for `forRootAsync({ useClass })`. */
export interface RedisOptionsFactory {
  createRedisOptions(): RedisModuleOptions | Promise<RedisModuleOptions>;
}

export const REDIS_DEFAULTS = {
  prefix: 'bulwark',
  onStoreError: 'local',
  expectedProcesses: 1,
  commandTimeout: 50,
} as const satisfies RedisModuleOptions;

export type ResolvedRedisOptions = RedisModuleOptions & Required<Omit<RedisModuleOptions, 'url' | 'client'>>;

const PLACE = 'ResilienceRedisModule.forRoot';
const MOST_PROCESSES = 1_000_000;
const MOST_TIMEOUT_MS = 10_000;

const aClient: Expectation = {
  expected: 'a client of ioredis: a Redis or a Cluster',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    ['duplicate', 'evalsha'].every((method) => typeof (value as Record<string, unknown>)[method] === 'function'),
};
const anything: Expectation = { expected: 'anything', accepts: () => true };

/** @throws ResilienceConfigurationError */
export function resolveRedisOptions(options: unknown): ResolvedRedisOptions {
  if (!isPlainObject(options))
    throw new ResilienceConfigurationError(PLACE, `expected an options object, got ${show(options)}`);
  checkOptions<RedisModuleOptions>(PLACE, options, {
    // It may hold a password, which no message may show.
    url: anything,
    client: aClient,
    prefix: aName,
    onStoreError: oneOf('local', 'open', 'closed'),
    expectedProcesses: wholeNumber(1, MOST_PROCESSES),
    commandTimeout: wholeNumber(1, MOST_TIMEOUT_MS),
  });
  const { url, client } = options;
  if ((url === undefined) === (client === undefined)) {
    const got = url === undefined ? 'neither' : 'both';
    throw new ResilienceConfigurationError(PLACE, `expected either 'url' or 'client', got ${got}`);
  }
  if (url !== undefined) checkUrl(url);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...REDIS_DEFAULTS, ...given };
}

function checkUrl(url: unknown): void {
  if (typeof url === 'string' && /^rediss?:\/\//.test(url) && URL.canParse(url)) return;
  const got = typeof url === 'string' ? `'${maskCredentials(url)}'` : show(url);
  throw new ResilienceConfigurationError(PLACE, `option 'url': expected redis://... or rediss://..., got ${got}`);
}
