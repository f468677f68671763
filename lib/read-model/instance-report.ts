import type { CircuitState, PolicyKey } from '../events/resilience-event.js';

/** A circuit breaker as it is now. */
export interface BreakerReport {
  /** With keys: that of the calls whose key found no room. */
  readonly state: CircuitState;
  /** Why it is in this state; `''` in the first. */
  readonly reason: string;
  /** When an open one lets a probe through, epoch ms; undefined: by itself never, or it is not open. */
  readonly probesAt: number | undefined;
  /** Whether it only watches. */
  readonly metricsOnly: boolean;
  /** Calls in the window. */
  readonly calls: number;
  /** The share of failures in the window, 0 to 1. */
  readonly failureRatio: number;
  /** The share of slow calls, 0 to 1; undefined where its trip strategy counts none. */
  readonly slowCallRatio: number | undefined;
  /** From which share of failures on it opens, 0 to 1; a trip strategy may look at something else. */
  readonly thresholdRatio: number;
  /** How many of its keys are in each state; undefined: it has no keys. */
  readonly keys: Readonly<Record<CircuitState, number>> | undefined;
}

/** A bulkhead as it is now. */
export interface BulkheadReport {
  readonly active: number;
  readonly waiting: number;
  /** How many may run at once now; with keys: of each key. */
  readonly limit: number;
  /** How much work goes on without a slot, long after its caller has gone. */
  readonly abandoned: number;
  /** How many keys have slots of their own; undefined: it has no keys. */
  readonly keys: number | undefined;
}

/** A rate limit as it is now. */
export interface RateLimitReport {
  /** How many calls may begin now; undefined where each key has its own, or a cluster shares it. */
  readonly available: number | undefined;
  readonly waiting: number;
  /** So many calls in `per` ms. */
  readonly limit: number;
  readonly per: number;
  /** How many keys have a bucket of their own. */
  readonly keys: number;
}

/** A retry budget as it is now. */
export interface RetryBudgetReport {
  readonly tokens: number;
}

/** What goes by one name, as it is now. */
export interface InstanceReport {
  readonly name: string;
  /** The methods, routes and sets whose policies go by it, as `Class.method`; routes with their interceptor. */
  readonly guards: readonly string[];
  /** The policies that go by it. */
  readonly policies: readonly PolicyKey[];
  readonly breaker?: BreakerReport;
  readonly bulkhead?: BulkheadReport;
  readonly rateLimit?: RateLimitReport;
  readonly budget?: RetryBudgetReport;
}

/** What stands before the HTTP server, as it is now. */
export interface IngressReport {
  readonly active: number;
  /** Infinity where nothing limits them. */
  readonly limit: number;
  readonly loopDelayMs: number;
  /** How many requests were turned away since the start, by the limit that they met. */
  readonly shed: Readonly<Record<string, number>>;
}
