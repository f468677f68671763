/** Buckets for each doubling of the latency: neighbours differ by 9 %. */
const PER_OCTAVE = 8;
/** From 1 / 16 ms ... */
const LOWEST_EXPONENT = -4;
/** ... to 2 ** 20 ms, some 17 minutes. */
const HIGHEST_EXPONENT = 20;
const SIZE = (HIGHEST_EXPONENT - LOWEST_EXPONENT) * PER_OCTAVE;

/** The percentiles that opossum reports. */
export const PERCENTILES = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 1] as const;

/**
 * Latencies of the last buckets of a window, on a logarithmic scale of fixed size: a percentile is off by at most 9 %,
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

  record(latencyMs: number): void {
    const index = (this.#tick % this.buckets) * SIZE + slotOf(latencyMs);
    this.#counts[index] = (this.#counts[index] as number) + 1;
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

  #clearBucket(bucket: number): void {
    this.#counts.fill(0, bucket * SIZE, (bucket + 1) * SIZE);
  }

  #sum(): number[] {
    const sums = new Array<number>(SIZE).fill(0);
    for (const [index, count] of this.#counts.entries()) sums[index % SIZE] = (sums[index % SIZE] as number) + count;
    return sums;
  }
}

function slotOf(latencyMs: number): number {
  const slot = Math.floor((Math.log2(latencyMs) - LOWEST_EXPONENT) * PER_OCTAVE);
  return slot > 0 ? Math.min(slot, SIZE - 1) : 0;
}

/** The middle of a slot, in ms; the first holds what is too short to tell. */
function valueOf(slot: number): number {
  return slot === 0 ? 0 : 2 ** (LOWEST_EXPONENT + (slot + 0.5) / PER_OCTAVE);
}

function percentile(sums: readonly number[], total: number, fraction: number): number {
  const rank = Math.max(1, Math.ceil(fraction * total));
  let seen = 0;
  const slot = sums.findIndex((count) => (seen += count) >= rank);
  return valueOf(slot);
}
