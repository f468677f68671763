import { isNews, LatencyWindow, type Estimate } from './latency-window.js';

/** A probe goes down to this share of the limit: low enough to tell, high enough to cost little. */
const DEPTH = 0.6;
/** With this few at once hardly anything queues: no probe goes lower. */
const FLOOR = 4;
/** At the same throughput calls take as long for each place at the lower limit; up to so many times as long, by chance. */
const SAME = 1.17;
/** And up to this, where a probe finds that the work has become slower: a queue looks like that. */
const SAME_IN_DOUBT = 1.45;
/** How many samples, how precise, and how long, ms: a probe lets calls go, so it is content with less than a window. */
const SAMPLES = 10;
const PRECISE = 0.08;
const SHORT_MS = 100;
const LONG_MS = 1_000;
/** The shortest probe in mean latencies: the first to end are the short calls. */
const SHORT_LATENCIES = 2;
/** How long the calls of the limit above may keep it waiting, ms, and in mean latencies. */
const PATIENCE_MS = 1_000;
const PATIENCE_LATENCIES = 4;

/** Where a probe goes from a limit; the same limit: nowhere. */
export function below(limit: number, min: number): number {
  return Math.min(limit, Math.max(min, FLOOR, Math.floor(limit * DEPTH)));
}

/**
 * A short time at a lower limit, to see how long the work takes when nothing queues.
 *
 * By Little's law throughput is the limit over the mean latency. If the lower limit brings the same throughput, the
 * calls queue there as well, and the probe goes lower still: else an overgrown limit would pass for the knee.
 */
export class Probe {
  readonly #window: LatencyWindow;
  #limit: number;
  /** The limit above, and the latency there. */
  #outer: number;
  #above: Estimate;
  #since: number;
  /** Whether the calls in flight have become as few as the limit. */
  #drained = false;

  /**
   * @param full the latency at the limit `settled`.
   * @param known the unloaded latency so far.
   */
  constructor(
    readonly full: Estimate,
    settled: number,
    private readonly known: Estimate | undefined,
    private readonly min: number,
    now: number,
  ) {
    this.#limit = below(settled, min);
    this.#outer = settled;
    this.#above = full;
    this.#since = now;
    this.#window = new LatencyWindow(now, 0);
  }

  get limit(): number {
    return this.#limit;
  }

  get cutShare(): number {
    return this.#window.cutShare;
  }

  /**
   * A call ended; `inFlight` includes it.
   *
   * @returns how long the work takes, once that is known.
   */
  ended(now: number, latencyMs: number, inFlight: number, cut: boolean): Estimate | undefined {
    if (!this.#drained) {
      const patience = Math.max(PATIENCE_MS, PATIENCE_LATENCIES * this.#above.mean);
      this.#drained = inFlight <= this.#limit || now - this.#since > patience;
      // As many have queued behind those that are gone.
      if (this.#drained) this.#window.restart(now, this.#limit);
      return undefined;
    }
    this.#window.add(now, latencyMs, cut);
    const lasted = now - this.#window.from;
    if (this.#window.count < SAMPLES || lasted < SHORT_MS) return undefined;
    const found = this.#window.estimate();
    if (lasted < Math.max(SHORT_LATENCIES * found.mean, found.error > PRECISE ? LONG_MS : 0)) return undefined;
    return this.#stillQueues(found) && this.#goLower(found, now) ? undefined : found;
  }

  #stillQueues(found: Estimate): boolean {
    const { known } = this;
    const isDoubtful = known === undefined || (found.mean > known.mean && isNews(found, known));
    const slower = found.mean / this.#limit / (this.#above.mean / this.#outer);
    return slower < (isDoubtful ? SAME_IN_DOUBT : SAME);
  }

  #goLower(found: Estimate, now: number): boolean {
    const lower = below(this.#limit, this.min);
    if (lower === this.#limit) return false;
    this.#outer = this.#limit;
    this.#limit = lower;
    this.#above = found;
    this.#since = now;
    this.#drained = false;
    return true;
  }
}
