import { parseBulkhead, BULKHEAD_DEFAULTS } from '../policies/bulkhead/bulkhead.options.js';
import { CIRCUIT_BREAKER_DEFAULTS, parseCircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.options.js';
import { COALESCE_DEFAULTS, parseCoalesce } from '../policies/coalesce/coalesce.options.js';
import { parseFallback } from '../policies/fallback/fallback.options.js';
import { HEDGE_DEFAULTS, parseHedge } from '../policies/hedge/hedge.options.js';
import { withMade } from './data-forms.js';
import type { SetKey } from '../policies/policy-set.js';
import { parseRateLimit, RATE_LIMIT_DEFAULTS } from '../policies/rate-limit/rate-limit.options.js';
import { parseRecover } from '../policies/recover/recover.options.js';
import { parseRetry, RETRY_DEFAULTS } from '../policies/retry/retry.options.js';
import { parseTimeout } from '../policies/timeout/timeout.options.js';

export type Options = Readonly<Record<string, unknown>>;

interface PolicyKind {
  /** Checks a setting in any of its forms and gives options. */
  readonly parse: (place: string, setting: unknown) => Options;
  readonly defaults: Options;
}

/** A policy whose settings may be data as well, where code would call a function of ours. */
function kind(key: SetKey, parse: PolicyKind['parse'], defaults: Options = {}): PolicyKind {
  return { parse: (place, setting) => parse(place, withMade(place, key, setting)), defaults };
}

/** What each policy accepts and what it has built in. */
export const KINDS: Readonly<Record<SetKey, PolicyKind>> = {
  recover: kind('recover', (place, setting) => ({ ...parseRecover(place, setting) })),
  fallback: kind('fallback', (place, setting) => ({ fallbacks: parseFallback(place, setting) })),
  timeout: kind('timeout', (place, setting) => ({ ...parseTimeout(place, setting) })),
  coalesce: kind('coalesce', (place, setting) => ({ ...parseCoalesce(place, setting) }), COALESCE_DEFAULTS),
  retry: kind('retry', (place, setting) => ({ ...parseRetry(place, setting) }), RETRY_DEFAULTS),
  hedge: kind('hedge', (place, setting) => ({ ...parseHedge(place, setting) }), HEDGE_DEFAULTS),
  circuitBreaker: kind(
    'circuitBreaker',
    (place, setting) => ({ ...parseCircuitBreaker(place, setting) }),
    CIRCUIT_BREAKER_DEFAULTS,
  ),
  rateLimit: kind('rateLimit', (place, setting) => ({ ...parseRateLimit(place, setting) }), RATE_LIMIT_DEFAULTS),
  bulkhead: kind('bulkhead', (place, setting) => ({ ...parseBulkhead(place, setting) }), BULKHEAD_DEFAULTS),
};
