import type { CircuitState } from '../../events/resilience-event.js';
import type { ClusterSource } from '../../read-model/cluster-source.js';
import type { BreakerReport } from '../../read-model/instance-report.js';
import type { InstanceState } from '../../read-model/read-instances.js';

/** So many instances of a kind are shown: a health check is read by machines, every few seconds. */
export const MAX_SHOWN = 100;

/** A circuit breaker that is not closed, or some of whose keys are not. */
export interface BreakerHealth {
  /** With keys: that of the calls whose key found no room. */
  state: CircuitState;
  /** The share of failures in its window, 0 to 1. */
  failureRatio: number;
  /** When it lets a probe through, as an ISO date; absent where that is by itself never, or now. */
  probesAt?: string;
  /** How many of its keys are in each state; absent where it has no keys. */
  keys?: Partial<Record<CircuitState, number>>;
  /** It only watches, and refuses nothing. */
  metricsOnly?: true;
}

/**
 * What is not as usual, by the names of instances; a kind of which all is as usual is absent. No text of an error is among
 * it, and no reason that somebody wrote.
 *
 * @publicApi
 */
export interface HealthDetails extends Record<string, unknown> {
  /** The breakers that make the check `down`. */
  down?: readonly string[];
  /** The app shuts down. */
  draining?: true;
  breakers?: Record<string, BreakerHealth>;
  /** Bulkheads without a free slot. */
  bulkheads?: Record<string, { active: number; waiting: number; limit: number }>;
  /** Rate limits that let no call through now. */
  rateLimits?: Record<string, { waiting: number; limit: number; per: number }>;
  /** Stores of a cluster that do not answer. */
  stores?: Record<string, 'away'>;
  /** How many instances more there are of which the same could be said. */
  notShown?: number;
}

/** What a check was told and has read. */
export interface HealthReading {
  readonly states: ReadonlyMap<string, InstanceState>;
  readonly clusters: readonly ClusterSource[];
  /** The breakers that make the check `down`. */
  readonly down: readonly string[];
  readonly draining: boolean;
}

/** Whether a breaker lets no call through: open or forced open, and with keys all of them. */
export function isOut(breaker: BreakerReport | undefined): boolean {
  if (breaker === undefined || breaker.metricsOnly) return false;
  const { state, keys } = breaker;
  if (state === 'open' || state === 'forcedOpen') return true;
  if (keys === undefined) return false;
  const { open, forcedOpen, ...others } = keys;
  return open + forcedOpen > 0 && Object.values(others).every((count) => count === 0);
}

export function healthDetails({ states, clusters, down, draining }: HealthReading): HealthDetails {
  const breakers = new Shown<BreakerHealth>();
  const bulkheads = new Shown<{ active: number; waiting: number; limit: number }>();
  const rateLimits = new Shown<{ waiting: number; limit: number; per: number }>();
  for (const [name, { breaker, bulkhead, rateLimit }] of states) {
    if (breaker !== undefined && !isClosed(breaker)) breakers.add(name, healthOf(breaker));
    // One key that is full says nothing of the others.
    if (bulkhead !== undefined && bulkhead.keys === undefined && bulkhead.active >= bulkhead.limit) {
      const { active, waiting, limit } = bulkhead;
      bulkheads.add(name, { active, waiting, limit });
    }
    if (rateLimit?.available !== undefined && rateLimit.available < 1) {
      const { waiting, limit, per } = rateLimit;
      rateLimits.add(name, { waiting, limit, per });
    }
  }
  const away = clusters.flatMap(({ store }) => (store?.up === false ? [[store.name, 'away'] as const] : []));
  const notShown = breakers.left + bulkheads.left + rateLimits.left;
  return {
    ...(down.length > 0 && { down }),
    ...(draining && { draining }),
    ...(breakers.any && { breakers: breakers.record() }),
    ...(bulkheads.any && { bulkheads: bulkheads.record() }),
    ...(rateLimits.any && { rateLimits: rateLimits.record() }),
    ...(away.length > 0 && { stores: Object.fromEntries(away) }),
    ...(notShown > 0 && { notShown }),
  };
}

function isClosed({ state, keys }: BreakerReport): boolean {
  return state === 'closed' && Object.entries(keys ?? {}).every(([one, count]) => one === 'closed' || count === 0);
}

function healthOf({ state, failureRatio, probesAt, keys, metricsOnly }: BreakerReport): BreakerHealth {
  return {
    state,
    failureRatio,
    ...(probesAt !== undefined && { probesAt: new Date(probesAt).toISOString() }),
    ...(keys !== undefined && { keys: Object.fromEntries(Object.entries(keys).filter(([, count]) => count > 0)) }),
    ...(metricsOnly && { metricsOnly }),
  };
}

/** Instances by name, as many as are shown. */
class Shown<T> {
  readonly #entries: [name: string, T][] = [];
  left = 0;

  get any(): boolean {
    return this.#entries.length > 0;
  }

  add(name: string, what: T): void {
    if (this.#entries.length < MAX_SHOWN) this.#entries.push([name, what]);
    else this.left++;
  }

  /** A name such as `__proto__` becomes a property as any other. */
  record(): Record<string, T> {
    return Object.fromEntries(this.#entries);
  }
}
