import { parseBulkhead, BULKHEAD_DEFAULTS } from '../../policies/bulkhead/bulkhead.options.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  parseCircuitBreaker,
} from '../../policies/circuit-breaker/circuit-breaker.options.js';
import { COALESCE_DEFAULTS, parseCoalesce } from '../../policies/coalesce/coalesce.options.js';
import { parseFallback } from '../../policies/fallback/fallback.options.js';
import { HEDGE_DEFAULTS, parseHedge } from '../../policies/hedge/hedge.options.js';
import type { SetKey } from '../../policies/policy-set.js';
import { parseRateLimit, RATE_LIMIT_DEFAULTS } from '../../policies/rate-limit/rate-limit.options.js';
import { parseRecover } from '../../policies/recover/recover.options.js';
import { parseRetry, RETRY_DEFAULTS } from '../../policies/retry/retry.options.js';
import { parseTimeout } from '../../policies/timeout/timeout.options.js';

export type Options = Readonly<Record<string, unknown>>;

interface PolicyKind {
  /** Checks a setting in any of its forms and gives options. */
  readonly parse: (place: string, setting: unknown) => Options;
  readonly defaults: Options;
}

/** What each policy accepts and what it has built in. */
export const KINDS: Readonly<Record<SetKey, PolicyKind>> = {
  recover: { parse: (place, setting) => ({ ...parseRecover(place, setting) }), defaults: {} },
  fallback: { parse: (place, setting) => ({ fallbacks: parseFallback(place, setting) }), defaults: {} },
  timeout: { parse: (place, setting) => ({ ...parseTimeout(place, setting) }), defaults: {} },
  coalesce: { parse: (place, setting) => ({ ...parseCoalesce(place, setting) }), defaults: COALESCE_DEFAULTS },
  retry: { parse: (place, setting) => ({ ...parseRetry(place, setting) }), defaults: RETRY_DEFAULTS },
  hedge: { parse: (place, setting) => ({ ...parseHedge(place, setting) }), defaults: HEDGE_DEFAULTS },
  circuitBreaker: {
    parse: (place, setting) => ({ ...parseCircuitBreaker(place, setting) }),
    defaults: CIRCUIT_BREAKER_DEFAULTS,
  },
  rateLimit: { parse: (place, setting) => ({ ...parseRateLimit(place, setting) }), defaults: RATE_LIMIT_DEFAULTS },
  bulkhead: { parse: (place, setting) => ({ ...parseBulkhead(place, setting) }), defaults: BULKHEAD_DEFAULTS },
};
