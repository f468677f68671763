import type { CircuitState } from '../events/resilience-event.js';
import type { Clock } from '../kernel/clock.js';
import type { Instances } from '../planning/instances.js';
import type { Bulkheads } from '../policies/bulkhead/bulkheads.js';
import type { BreakerCore } from '../policies/circuit-breaker/breaker-core.js';
import type { NamedBreakers } from '../policies/circuit-breaker/named-breakers.js';
import type { RateLimiter } from '../policies/rate-limit/rate-limiter.js';
import type { BreakerReport, BulkheadReport, InstanceReport, RateLimitReport } from './instance-report.js';

/** What keeps state under one name. */
export type InstanceState = Omit<InstanceReport, 'name' | 'guards' | 'policies'>;

type Mutable = { -readonly [K in keyof InstanceState]: InstanceState[K] };

/** The state of everything that keeps some, by name: it costs as much as there are names and keys. */
export function readInstances(instances: Instances, clock: Clock): Map<string, InstanceState> {
  const now = clock.now();
  const wallOffset = clock.wallNow() - now;
  const found = new Map<string, Mutable>();
  const of = (name: string): Mutable => {
    let state = found.get(name);
    if (state === undefined) found.set(name, (state = {}));
    return state;
  };
  for (const breakers of instances.namedBreakers()) of(breakers.name).breaker = readBreakers(breakers, now, wallOffset);
  for (const bulkhead of instances.bulkheads()) of(bulkhead.name).bulkhead = readBulkhead(bulkhead);
  for (const limiter of instances.rateLimiters()) of(limiter.name).rateLimit = readRateLimit(limiter, now);
  for (const [name, budget] of instances.retryBudgets()) of(name).budget = { tokens: budget.tokensAt(now) };
  return found;
}

function readBulkhead({ active, waiting, limit, abandonedNow, keys }: Bulkheads): BulkheadReport {
  return { active, waiting, limit, abandoned: abandonedNow, keys };
}

function readRateLimit(limiter: RateLimiter, now: number): RateLimitReport {
  const { limit, per } = limiter.options;
  return { available: limiter.availableAt(now), waiting: limiter.waiting, limit, per, keys: limiter.keys };
}

/** @param wallOffset what a moment of the monotonic clock lacks to one of the wall's, ms. */
function readBreakers(breakers: NamedBreakers, now: number, wallOffset: number): BreakerReport {
  const [whole, ...keyed] = breakers.cores() as [BreakerCore, ...BreakerCore[]];
  const { machine, tally, reason, watchesOnly, options } = whole;
  tally.advance(now);
  const toProbe = machine.timeToProbe(now);
  return {
    state: machine.stateAt(now),
    reason,
    probesAt: toProbe === undefined ? undefined : Math.round(now + toProbe + wallOffset),
    // With keys, the whole only counts whatever the keys do.
    metricsOnly: breakers.single === undefined ? breakers.options.mode === 'metricsOnly' : watchesOnly,
    calls: tally.calls,
    failureRatio: tally.failureRate / 100,
    slowCallRatio: tally.slowCallRatio,
    thresholdRatio: options.errorThresholdPercentage / 100,
    keys: breakers.single === undefined ? countStates(keyed, now) : undefined,
  };
}

function countStates(cores: readonly BreakerCore[], now: number): Record<CircuitState, number> {
  const counts: Record<CircuitState, number> = { closed: 0, open: 0, halfOpen: 0, forcedOpen: 0, disabled: 0 };
  for (const { machine } of cores) counts[machine.stateAt(now)]++;
  return counts;
}
