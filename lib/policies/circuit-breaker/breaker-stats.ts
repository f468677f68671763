import { LatencyHistogram, PERCENTILES } from '../../kernel/latency-histogram.js';
import type { RollingWindow, WindowCounts } from './rolling-window.js';

/**
 * The numbers of one bucket of the rolling window, by opossum's names.
 *
 * @publicApi
 */
export interface BreakerBucket {
  /** Calls that came, refused ones included. */
  fires: number;
  successes: number;
  failures: number;
  /** Failures that were cut by time. */
  timeouts: number;
  /** Calls refused because the breaker was open. */
  rejects: number;
  /** Calls refused by a bulkhead inside. */
  semaphoreRejections: number;
  /** Calls that a fallback has answered: `@Fallback` of a method under it, or that of `fire()`. */
  fallbacks: number;
  /** Always 0: it has no cache. */
  cacheHits: number;
  /** Always 0: it has no cache. */
  cacheMisses: number;
  /** Always 0: `@Coalesce` stands outside it. */
  coalesceCacheHits: number;
  /** Always 0: `@Coalesce` stands outside it. */
  coalesceCacheMisses: number;
  /** Latency in ms by fraction; of a single bucket there is none. */
  percentiles: Record<number, number>;
  /** Always empty: single latencies are not kept. */
  latencyTimes: number[];
}

/**
 * The numbers of the rolling window, by opossum's names.
 *
 * @publicApi
 */
export interface BreakerStats extends BreakerBucket {
  /**
   * Latency in ms by fraction: `percentiles[0.99]`, off by 7 % at most; -1 where none are kept. Above 4 calls a ms for
   * longer than a burst of 10,000, of one call in 16.
   */
  percentiles: Record<number, number>;
  /** The mean latency in ms; -1 where none is kept. */
  latencyMean: number;
}

/** The latencies of a breaker with these options; undefined: it keeps none. */
export function latenciesOf(options: {
  rollingPercentilesEnabled: boolean;
  rollingCountTimeout: number;
  rollingCountBuckets: number;
}): LatencyHistogram | undefined {
  const { rollingPercentilesEnabled, rollingCountTimeout: spanMs, rollingCountBuckets: buckets } = options;
  return rollingPercentilesEnabled ? new LatencyHistogram(spanMs / buckets, buckets) : undefined;
}

export function readStats(window: RollingWindow, latencies: LatencyHistogram | undefined, now: number): BreakerStats {
  const { percentiles, latencyMean } = latencies?.read(now) ?? {
    percentiles: Object.fromEntries(PERCENTILES.map((fraction) => [fraction, -1])),
    latencyMean: -1,
  };
  return { ...readBucket(window), percentiles, latencyMean };
}

export function readBucket(counts: WindowCounts): BreakerBucket {
  const { fires, successes, failures, timeouts, rejects, semaphoreRejections, fallbacks } = counts;
  return {
    fires,
    successes,
    failures,
    timeouts,
    rejects,
    semaphoreRejections,
    fallbacks,
    cacheHits: 0,
    cacheMisses: 0,
    coalesceCacheHits: 0,
    coalesceCacheMisses: 0,
    percentiles: {},
    latencyTimes: [],
  };
}
