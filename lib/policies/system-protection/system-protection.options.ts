import type { IncomingMessage } from 'node:http';
import {
  adaptive,
  adaptiveOf,
  concurrency,
  type AdaptiveConcurrency,
} from '../../kernel/adaptive-limit/adaptive.options.js';
import type { AdaptiveRule } from '../../kernel/adaptive-limit/concurrency-rule.js';
import {
  aFunction,
  checkOptions,
  either,
  isPlainObject,
  MOST,
  numberUpTo,
  offOr,
  positiveMs,
  type Expectation,
} from '../../kernel/options/check.js';

/**
 * What keeps the process from drowning in incoming HTTP requests. Those that are too many are answered 503 with
 * `Retry-After` and `{ statusCode, message, errorCode: 'SHED' }`, before anything else is done for them; so they get no
 * headers of other middleware, but for those of CORS: what `enableCors()` sets up (or the packages `cors` and
 * `@fastify/cors`) is asked, so that pages of other origins see the 503. A browser's preflight is always let in, and
 * counts nowhere.
 *
 * A request counts while the app works on it, until it ends its answer: not while the app waits for the client to send
 * a body or to read an answer. A handler whose client has gone counts for up to 60 s, or 5 s if it was answering. A stream
 * of server-sent events counts until its headers are sent. A route of long polls counts all the time: exempt it.
 *
 * WebSocket upgrades, RPC and GraphQL subscriptions pass. On Fastify, `listen(port, 'localhost')` opens a second server
 * for the other kind of address, which is not guarded: name an address, or '::' for both.
 *
 * @publicApi
 */
export interface SystemProtectionOptions {
  /**
   * How many requests are worked on at once, over all routes; `adaptive()` finds the number by watching latency, from
   * which the delay of our own event loop is subtracted.
   * @default adaptive({ tolerance: 1.25 }): what comes in also waits for the CPU
   */
  concurrency?: number | AdaptiveConcurrency | AdaptiveRule | false;
  /** How long the event loop may be held up, ms. @default 50 */
  eventLoopDelay?: number | false;
  /** How many requests are let in each second, above 0; after a quiet second as many at once. @default false */
  rate?: number | false;
  /**
   * Requests that are always let in and count nowhere. A list of whole paths (each with what lies below it) takes the
   * place of the default; a function is asked beside the default, whose paths may stand under the app's global prefix and
   * its version.
   * @default ['/health', '/healthz', '/live', '/livez', '/ready', '/readyz']
   */
  exempt?: readonly string[] | ((request: IncomingMessage) => boolean);
  /**
   * How important a request is; higher is more important. The least important ones are shed first: as long as others
   * come, a part of each limit is kept from them.
   * @default all alike
   */
  priority?: (request: IncomingMessage) => number;
  /** What a client that was shed is told to wait, ms; sent in whole seconds, rounded up. @default 1_000 */
  retryAfter?: number;
}

export interface ResolvedSystemProtection {
  readonly concurrency: number | AdaptiveConcurrency | false;
  readonly eventLoopDelay: number | false;
  readonly rate: number | false;
  readonly exemptPaths: readonly string[];
  /** Whether the app's global prefix and its version may stand before them. */
  readonly exemptUnderPrefix: boolean;
  readonly exempt: ((request: IncomingMessage) => boolean) | undefined;
  readonly priority: ((request: IncomingMessage) => number) | undefined;
  readonly retryAfter: number;
}

const HEALTH_PATHS = ['/health', '/healthz', '/live', '/livez', '/ready', '/readyz'];

const perSecond = numberUpTo(MOST.count, 'a number above 0', (value) => value > 0);
const paths: Expectation = {
  expected: "a list of paths that begin with '/'",
  accepts: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' && one.startsWith('/')),
};

/**
 * @param setting true: the defaults; false: nothing is protected.
 * @throws ResilienceConfigurationError
 */
export function parseSystemProtection(place: string, setting: unknown): ResolvedSystemProtection | undefined {
  if (setting === undefined || setting === false) return undefined;
  const options: unknown = setting === true ? {} : madeConcurrency(place, setting);
  checkOptions<SystemProtectionOptions>(place, options, {
    concurrency: offOr(concurrency),
    eventLoopDelay: offOr(positiveMs),
    rate: offOr(perSecond),
    exempt: either(paths, aFunction),
    priority: aFunction,
    retryAfter: positiveMs,
  });
  const { exempt } = options;
  return {
    concurrency:
      (options.concurrency as number | AdaptiveConcurrency | false | undefined) ?? adaptive({ tolerance: 1.25 }),
    eventLoopDelay: options.eventLoopDelay ?? 50,
    rate: options.rate ?? false,
    exemptPaths: typeof exempt === 'object' ? exempt : HEALTH_PATHS,
    exemptUnderPrefix: typeof exempt !== 'object',
    exempt: typeof exempt === 'function' ? exempt : undefined,
    priority: options.priority,
    retryAfter: options.retryAfter ?? 1_000,
  };
}

/** Options in which what data says of the concurrency is what code would give. */
function madeConcurrency(place: string, setting: unknown): unknown {
  if (!isPlainObject(setting)) return setting;
  const made = adaptiveOf(`${place}.concurrency`, setting.concurrency);
  return made === undefined ? setting : { ...setting, concurrency: made };
}
