/** A mean and how far it may be off, as a fraction of it (one standard error). */
export interface Estimate {
  readonly mean: number;
  readonly error: number;
}

/** Latencies of a stretch of time, as sums: a sample costs a few additions, and none is kept. */
export class LatencyWindow {
  count = 0;
  #cut = 0;
  #sum = 0;
  #squares = 0;

  /** @param from when it began. */
  constructor(public from: number) {}

  /** @param cut whether it would have taken longer. */
  add(ms: number, cut = false): void {
    this.count++;
    if (cut) this.#cut++;
    this.#sum += ms;
    this.#squares += ms * ms;
  }

  restart(now: number): void {
    this.from = now;
    this.count = this.#cut = this.#sum = this.#squares = 0;
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count;
  }

  get cutShare(): number {
    return this.count === 0 ? 0 : this.#cut / this.count;
  }

  estimate(): Estimate {
    const { mean, count } = this;
    if (mean === 0) return { mean: 0, error: 0 };
    const variance = Math.max(0, this.#squares / count - mean * mean);
    return { mean, error: Math.sqrt(variance / count) / mean };
  }
}

/** How far two means may differ by chance, as a fraction. */
export function noiseOf(one: Estimate, other: Estimate): number {
  return Math.hypot(one.error, other.error);
}

/** Two measurements of the same, the older ones ever less in it. */
export function pooled(older: Estimate, newer: Estimate): Estimate {
  return { mean: (older.mean + newer.mean) / 2, error: noiseOf(older, newer) / 2 };
}
