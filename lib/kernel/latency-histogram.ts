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
 * Latencies of the last buckets of a window, on a logarithmic scale of fixed size: a percentile is off by at most 7 %,
 * and neither a call nor a reading costs more because there were more calls.
 */
export class LatencyHistogram {
  readonly #counts: Uint32Array;
  #tick = 0;

  /** @param buckets how many buckets the window has. */
  constructor(private readonly buckets: number) {
    this.#counts = new Uint32Array(buckets * SIZE);
  }

  /** Moves on to the bucket that is the `tick`th since the clock began; what has left the window is forgotten. */
  advance(tick: number): void {
    if (tick - this.#tick >= this.buckets) this.clear();
    else for (let passed = this.#tick + 1; passed <= tick; passed++) this.#clearBucket(passed % this.buckets);
    this.#tick = tick;
  }

  /** @param weight for how many calls the latency stands. */
  record(latencyMs: number, weight = 1): void {
    const index = (this.#tick % this.buckets) * SIZE + slotOf(latencyMs);
    this.#counts[index] = (this.#counts[index] as number) + weight;
  }

  clear(): void {
    this.#counts.fill(0);
  }

  /** The percentiles and the mean in ms; 0 where nothing was recorded, as with opossum. */
  read(): { percentiles: Record<number, number>; latencyMean: number } {
    const sums = this.#sum();
    const total = sums.reduce((all, count) => all + count, 0);
    const weighted = sums.reduce((all, count, slot) => all + count * valueOf(slot), 0);
    return {
      percentiles: Object.fromEntries(PERCENTILES.map((p) => [p, total === 0 ? 0 : percentile(sums, total, p)])),
      latencyMean: total === 0 ? 0 : weighted / total,
    };
  }

  /** How many latencies the window holds, and what `fraction` of them did not exceed, ms: the upper end of its slot. */
  bound(fraction: number): { count: number; ms: number } {
    const sums = this.#sum();
    const count = sums.reduce((all, one) => all + one, 0);
    return { count, ms: count === 0 ? 0 : lowestOf(slotAt(sums, count, fraction) + 1) };
  }

  #clearBucket(bucket: number): void {
    this.#counts.fill(0, bucket * SIZE, (bucket + 1) * SIZE);
  }

  #sum(): number[] {
    const sums = new Array<number>(SIZE).fill(0);
    for (const [index, count] of this.#counts.entries()) sums[index % SIZE] = (sums[index % SIZE] as number) + count;
    return sums;
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

function percentile(sums: readonly number[], total: number, fraction: number): number {
  return valueOf(slotAt(sums, total, fraction));
}

function slotAt(sums: readonly number[], total: number, fraction: number): number {
  const rank = Math.max(1, Math.ceil(fraction * total));
  let seen = 0;
  return sums.findIndex((count) => (seen += count) >= rank);
}
