import { Loss } from '../../kernel/loss.js';
import type { PolicyKind } from '../../kernel/policy-kind.js';
import type { StateKind } from '../../kernel/state-kind.js';
import {
  parseRateLimit,
  RATE_LIMIT_DEFAULTS,
  resolveRateLimit,
  type RateLimitOptions,
  type RateLimitSetting,
  type ResolvedRateLimit,
} from './rate-limit.options.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { RateLimiter } from './rate-limiter.js';

/** What a rule can say of it. */
export type RateLimitRule = Omit<RateLimitOptions, 'key' | 'cost' | 'scope'> | false;

export const RATE_LIMITERS: StateKind<RateLimiter> = {
  what: 'rate limit',
  create: (name, options, environment) => new RateLimiter(name, options as unknown as ResolvedRateLimit, environment),
  lossWith: (limiter, now) => {
    if (limiter.waiting > 0) return Loss.Work;
    return limiter.owesAt(now) ? Loss.Memory : Loss.Nothing;
  },
};

export const RATE_LIMIT: PolicyKind<'rateLimit', RateLimitSetting | string | false, RateLimitRule> = {
  key: 'rateLimit',
  places: ['rateLimit'],
  parse: (place, setting) => ({ ...parseRateLimit(place, setting) }),
  defaults: RATE_LIMIT_DEFAULTS,
  codeOnly: ['key', 'cost', 'scope'],
  state: RATE_LIMITERS,
  isEmpty: ({ limit, per }) => limit === undefined || per === undefined,
  resolve: (place, options) => ({ ...resolveRateLimit(place, options) }),
  derived: { burst: 'limit' },
  make: (_, making) => ({ guard: new RateLimitGuard(making.state(RATE_LIMITERS), making.attemptLimit) }),
};
