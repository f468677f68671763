import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { Loss } from '../../kernel/loss.js';
import type { PlannedStep, PolicyKind } from '../../kernel/policy-kind.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
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

/** @throws ResilienceConfigurationError where processes are to count together and cannot. */
export function expectStore(
  { name, options }: Pick<PlannedStep, 'name' | 'options'>,
  { rateStore, expectsRateStore }: PolicyEnvironment,
): void {
  if (options.scope !== 'cluster' || rateStore !== undefined || expectsRateStore !== true) return;
  throw new ResilienceConfigurationError(
    `rate limit '${name}'`,
    "option 'scope': 'cluster' counts in Redis; expected ResilienceRedisModule.forRoot({ url }) of 'nestjs-bulwark/redis' among the imports of the app",
  );
}

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
  make: (step, making) => {
    expectStore(step, making.environment);
    return { guard: new RateLimitGuard(making.state(RATE_LIMITERS), making.attemptLimit) };
  },
};
