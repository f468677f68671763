import type { Numbers } from './sample.js';

/** How many seconds a trend holds. */
export const TREND_SECONDS = 60;

/** The sums of some seconds. */
export interface Recent {
  readonly calls: number;
  /** Those that failed, or were answered by something else. */
  readonly failed: number;
  readonly refused: number;
}

/** What one instance did in each of the last seconds; rings, so that 500 of them cost nothing a second. */
export class Trend {
  readonly #calls = new Float64Array(TREND_SECONDS);
  readonly #failed = new Float64Array(TREND_SECONDS);
  readonly #refused = new Float64Array(TREND_SECONDS);
  #next = 0;
  #size = 0;

  push({ calls, failures, refused, substituted }: Numbers): void {
    this.#calls[this.#next] = calls;
    this.#failed[this.#next] = failures + substituted;
    this.#refused[this.#next] = refused;
    this.#next = (this.#next + 1) % TREND_SECONDS;
    this.#size = Math.min(TREND_SECONDS, this.#size + 1);
  }

  get size(): number {
    return this.#size;
  }

  /** Calls a second, oldest first. */
  get calls(): number[] {
    return Array.from(this.#places(), (at) => this.#calls[at] ?? 0);
  }

  /** Those of them that did not end as the method meant them to, oldest first. */
  get bad(): number[] {
    return Array.from(this.#places(), (at) => (this.#failed[at] ?? 0) + (this.#refused[at] ?? 0));
  }

  /** The sums of the last `seconds`. */
  recent(seconds: number): Recent {
    let calls = 0;
    let failed = 0;
    let refused = 0;
    for (const at of this.#places(seconds)) {
      calls += this.#calls[at] ?? 0;
      failed += this.#failed[at] ?? 0;
      refused += this.#refused[at] ?? 0;
    }
    return { calls, failed, refused };
  }

  *#places(seconds = TREND_SECONDS): Generator<number> {
    for (let back = Math.min(seconds, this.#size); back > 0; back--) {
      yield (this.#next - back + TREND_SECONDS) % TREND_SECONDS;
    }
  }
}
