import { EventEmitter } from 'node:events';
import type { LatencyHistogram } from '../latency-histogram.js';
import { PERCENTILES } from '../latency-histogram.js';
import type { RollingWindow } from './rolling-window.js';

/**
 * The numbers of the rolling window, by opossum's names.
 *
 * @publicApi
 */
export interface BreakerStats {
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
  fallbacks: number;
  cacheHits: number;
  cacheMisses: number;
  coalesceCacheHits: number;
  coalesceCacheMisses: number;
  /**
   * Latency in ms by fraction: `percentiles[0.99]`, off by 7 % at most; -1 where none are kept. Above 4 calls a ms for
   * longer than a burst of 10,000, of one call in 16.
   */
  percentiles: Record<number, number>;
  /** The mean latency in ms; -1 where none is kept. */
  latencyMean: number;
  /** Always empty: single latencies are not kept. */
  latencyTimes: readonly number[];
}

export function readStats(window: RollingWindow, latencies: LatencyHistogram | undefined): BreakerStats {
  const { percentiles, latencyMean } = latencies?.read() ?? {
    percentiles: Object.fromEntries(PERCENTILES.map((fraction) => [fraction, -1])),
    latencyMean: -1,
  };
  return {
    fires: window.fires,
    successes: window.successes,
    failures: window.failures,
    timeouts: window.timeouts,
    rejects: window.rejects,
    semaphoreRejections: window.semaphoreRejections,
    fallbacks: 0,
    cacheHits: 0,
    cacheMisses: 0,
    coalesceCacheHits: 0,
    coalesceCacheMisses: 0,
    percentiles,
    latencyMean,
    latencyTimes: [],
  };
}

/** opossum's `status` face: statistics that are read when asked for, without an interval behind them. */
export class BreakerStatus extends EventEmitter {
  constructor(private readonly read: () => BreakerStats) {
    super();
  }

  get stats(): BreakerStats {
    return this.read();
  }

  get window(): BreakerStats[] {
    return [this.read()];
  }
}
