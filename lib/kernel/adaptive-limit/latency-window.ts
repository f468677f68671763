/** A mean and how far it may be off, as a fraction of it (one standard error). */
export interface Estimate {
  readonly mean: number;
  readonly error: number;
}

/** No estimate is taken to be better than this. */
const FINEST = 0.01;
/** What was measured before counts so many times less at each new measurement. */
const FORGETTING = 1.2;
/** A difference of so many standard errors, and this fraction, is no chance: so few see a change where there is none. */
const NEWS_ERRORS = 2;
const NEWS = 0.1;

/** Latencies of a stretch of time, as sums: a sample costs a few additions, and none is kept. */
export class LatencyWindow {
  count = 0;
  #toPass: number;
  #cut = 0;
  #sum = 0;
  #squares = 0;

  /**
   * @param from when it began.
   * @param toPass how many calls are to end before it begins, since they ran under another limit.
   */
  constructor(
    public from: number,
    toPass: number,
  ) {
    this.#toPass = toPass;
  }

  /** @param cut whether it would have taken longer. */
  add(now: number, ms: number, cut: boolean): void {
    if (this.#toPass > 0) {
      this.#toPass--;
      this.from = now;
      return;
    }
    this.count++;
    if (cut) this.#cut++;
    this.#sum += ms;
    this.#squares += ms * ms;
  }

  restart(now: number, toPass: number): void {
    this.from = now;
    this.#toPass = toPass;
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

/** Whether what is measured has changed since. */
export function isNews(newer: Estimate, older: Estimate | undefined): boolean {
  if (older === undefined) return true;
  return Math.abs(newer.mean / older.mean - 1) > NEWS + NEWS_ERRORS * noiseOf(newer, older);
}

/** Two measurements of the same, the more precise one more in it, and the older ones ever less. */
export function pooled(newer: Estimate, older: Estimate): Estimate {
  const is = 1 / Math.max(newer.error, FINEST) ** 2;
  const was = 1 / (FORGETTING * Math.max(older.error, FINEST) ** 2);
  return { mean: (newer.mean * is + older.mean * was) / (is + was), error: 1 / Math.sqrt(is + was) };
}

/** The newer measurement alone where something has changed, else both. */
export function updated(newer: Estimate, older: Estimate | undefined): Estimate {
  return older === undefined || isNews(newer, older) ? newer : pooled(newer, older);
}
