import { BucketRing } from './bucket-ring.js';

/** Latencies are counted in sixteenths of a millisecond ... */
const PER_MS = 16;
/** ... with this many buckets for each doubling: neighbours differ by at most 12.5 %. */
const PER_OCTAVE = 8;
const OCTAVE_BITS = 3;
/** Up to 2 ** 24 sixteenths, some 17 minutes. */
const HIGHEST = 2 ** 24 - 1;
const SIZE = slotOf(Infinity) + 1;

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
    this.#ring = new BucketRing(bucketMs, buckets, SIZE);
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
      percentiles: Object.fromEntries(PERCENTILES.map((p) => [p, total === 0 ? 0 : percentile(counts, total, p)])),
      latencyMean: total === 0 ? 0 : weighted / total,
    };
  }

  /** How many latencies it holds at `now`, and what `fraction` of them did not exceed, ms: the upper end of its slot. */
  bound(fraction: number, now: number): { count: number; ms: number } {
    const counts = this.#countsAt(now);
    const count = totalOf(counts);
    return { count, ms: count === 0 ? 0 : lowestOf(slotAt(counts, count, fraction) + 1) };
  }

  #countsAt(now: number): number[] {
    this.#ring.advance(now);
    return Array.from({ length: SIZE }, (_, slot) => this.#ring.total(slot));
  }
}

/**
 * The place of a latency: below 8 units one for each, above it the three bits behind the highest one. It costs a few
 * shifts, where a logarithm would cost more than the rest of the counting.
 */
function slotOf(latencyMs: number): number {
  const units = Math.min(latencyMs * PER_MS, HIGHEST) | 0;
  if (units < PER_OCTAVE) return units > 0 ? units : 0;
  const octave = 31 - Math.clz32(units) - OCTAVE_BITS;
  return octave * PER_OCTAVE + (units >> octave);
}

/** The middle of a slot, in ms; the first holds what is too short to tell. */
function valueOf(slot: number): number {
  return slot === 0 ? 0 : (lowestOf(slot) + lowestOf(slot + 1)) / 2;
}

/** The lower end of a slot, in ms. */
function lowestOf(slot: number): number {
  if (slot < PER_OCTAVE) return slot / PER_MS;
  const octave = Math.floor(slot / PER_OCTAVE) - 1;
  return ((slot - octave * PER_OCTAVE) * 2 ** octave) / PER_MS;
}

function totalOf(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

function percentile(counts: readonly number[], total: number, fraction: number): number {
  return valueOf(slotAt(counts, total, fraction));
}

function slotAt(counts: readonly number[], total: number, fraction: number): number {
  const rank = Math.max(1, Math.ceil(fraction * total));
  let seen = 0;
  return counts.findIndex((count) => (seen += count) >= rank);
}
