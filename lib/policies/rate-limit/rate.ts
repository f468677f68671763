import { clusterBurst } from './cluster/cluster-options.js';
import { DEFAULT_COLD_FACTOR, type RateLimitOverride, type ResolvedRateLimit } from './rate-limit.options.js';
import { WarmUp } from './warm-up.js';

/** By how much wake-ups may be late and the calls behind them still begin by the schedule, ms. */
const MAKE_UP_MS = 20;

/** The numbers by which a bucket runs. Buckets with the same limits share one. */
export class Rate {
  /** The time that a unit takes, ms. */
  readonly intervalMs: number;
  /** How far ahead of the time that they take calls may begin, ms; 0: they are evenly spaced. */
  readonly toleranceMs: number;
  /** The most that one call may cost. */
  readonly maxCost: number;
  /** How much lateness of a wake-up the next calls make up for, ms. */
  readonly makeUpMs: number;
  readonly warmUp: WarmUp | undefined;

  constructor(
    readonly limit: number,
    readonly per: number,
    burst: number | undefined,
    { onLimit, warmUp, cost }: ResolvedRateLimit,
    processes = 1,
  ) {
    this.intervalMs = (per / limit) * processes;
    this.maxCost = burst ?? limit;
    const spaced = onLimit === 'queue' && burst === undefined;
    // Of several processes each has a part of the burst as well: that takes the same time.
    this.toleranceMs = spaced ? 0 : (this.maxCost * per) / limit;
    // Never so much that more than a burst could begin at once; calls of different costs could add up to that.
    this.makeUpMs = spaced && cost === undefined ? clamp((limit - 1) * this.intervalMs, MAKE_UP_MS) : 0;
    this.warmUp =
      warmUp === undefined
        ? undefined
        : new WarmUp(this.intervalMs, warmUp.over, warmUp.coldFactor ?? DEFAULT_COLD_FACTOR);
  }

  /** @param processes how many share the limit, each by itself. */
  static of(options: ResolvedRateLimit, processes = 1): Rate {
    return new Rate(options.limit, options.per, options.burst, options, processes);
  }

  /** The rate of a key that has limits of its own; what they leave out follows from its own limit. */
  static override(override: RateLimitOverride, options: ResolvedRateLimit, processes = 1): Rate {
    const { limit, per = options.per, burst } = typeof override === 'number' ? { limit: override } : override;
    const ofCluster = options.scope === 'cluster' ? (burst ?? clusterBurst(limit, options.onLimit)) : burst;
    return new Rate(limit, per, ofCluster, options, processes);
  }
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}
