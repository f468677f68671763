import { BucketRing } from './bucket-ring.js';
import { boundOf, percentileOf, SLOTS, slotOf, totalOf, valueOf } from './latency-scale.js';

/** The percentiles that opossum reports. */
export const PERCENTILES = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 1] as const;

/**
 * Latencies of the last buckets of time, on a logarithmic scale of fixed size: a percentile is off by at most 7 %, and
 * neither a call nor a reading costs more because there were more calls.
 */
export class LatencyHistogram {
  readonly #ring: BucketRing;

  /** @param buckets how many buckets of `bucketMs` ms it looks back. */
  constructor(bucketMs: number, buckets: number) {
    this.#ring = new BucketRing(bucketMs, buckets, SLOTS);
  }

  /** @param weight for how many calls the latency stands. */
  record(latencyMs: number, now: number, weight = 1): void {
    this.#ring.advance(now);
    this.#ring.add(slotOf(latencyMs), weight);
  }

  clear(): void {
    this.#ring.clear();
  }

  /** The percentiles and the mean in ms at `now`; 0 where nothing was recorded, as with opossum. */
  read(now: number): { percentiles: Record<number, number>; latencyMean: number } {
    const counts = this.#countsAt(now);
    const total = totalOf(counts);
    const weighted = counts.reduce((all, count, slot) => all + count * valueOf(slot), 0);
    return {
      percentiles: Object.fromEntries(PERCENTILES.map((p) => [p, total === 0 ? 0 : percentileOf(counts, total, p)])),
      latencyMean: total === 0 ? 0 : weighted / total,
    };
  }

  /** How many latencies it holds at `now`, and what `fraction` of them did not exceed, ms: the upper end of its slot. */
  bound(fraction: number, now: number): { count: number; ms: number } {
    const counts = this.#countsAt(now);
    const count = totalOf(counts);
    return { count, ms: count === 0 ? 0 : boundOf(counts, count, fraction) };
  }

  #countsAt(now: number): number[] {
    this.#ring.advance(now);
    return Array.from({ length: SLOTS }, (_, slot) => this.#ring.total(slot));
  }
}
