import { Loss } from '../../kernel/loss.js';
import type { PolicyKind } from '../../kernel/policy-kind.js';
import type { StateKind } from '../../kernel/state-kind.js';
import { AdaptiveThrottleGuard } from './adaptive-throttle.guard.js';
import { AdaptiveThrottle } from './adaptive-throttle.js';
import {
  ADAPTIVE_THROTTLE_DEFAULTS,
  parseAdaptiveThrottle,
  type AdaptiveThrottleOptions,
  type ResolvedAdaptiveThrottle,
} from './adaptive-throttle.options.js';

/** What a rule can say of it. */
export type AdaptiveThrottleRule = Omit<AdaptiveThrottleOptions, 'scope'> | false;

export const ADAPTIVE_THROTTLES: StateKind<AdaptiveThrottle> = {
  what: 'adaptive throttle',
  create: (name, options, environment) =>
    new AdaptiveThrottle(name, options as unknown as ResolvedAdaptiveThrottle, environment),
  lossWith: (throttle, now) => (throttle.refusedShareAt(now) > 0 ? Loss.Memory : Loss.Nothing),
};

export const ADAPTIVE_THROTTLE: PolicyKind<
  'adaptiveThrottle',
  AdaptiveThrottleOptions | string | false,
  AdaptiveThrottleRule
> = {
  key: 'adaptiveThrottle',
  places: ['adaptiveThrottle'],
  parse: (place, setting) => ({ ...parseAdaptiveThrottle(place, setting) }),
  defaults: ADAPTIVE_THROTTLE_DEFAULTS,
  codeOnly: ['scope'],
  state: ADAPTIVE_THROTTLES,
  make: (_, making) => ({
    guard: new AdaptiveThrottleGuard(making.state(ADAPTIVE_THROTTLES), making.environment.clock),
  }),
};
