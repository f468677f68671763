/** The latency of every call is measured up to this rate ... */
const CALLS_PER_MS = 4;
/** ... and of this many calls in one burst above it; ... */
const BURST = 10_000;
const BURST_MS = BURST / CALLS_PER_MS;
/** ... beyond that of one call in so many, which stands for the others. */
const STRIDE = 16;

/**
 * Says whose latency is measured. To read the clock costs as much as all the counting of a call; under a load at which
 * that matters, percentiles lose nothing by a sample.
 */
export class LatencySampling {
  /** Until when the calls so far would take at the rate that is measured in full. */
  private busyUntil = 0;
  private skipped = 0;

  /** For how many calls the latency of one that begins at `now` stands; 0: it need not be measured. */
  weightAt(now: number): number {
    const busyUntil = this.busyUntil;
    if (busyUntil - now >= BURST_MS) return this.sample();
    this.busyUntil = (busyUntil > now ? busyUntil : now) + 1 / CALLS_PER_MS;
    return 1;
  }

  private sample(): number {
    if (++this.skipped < STRIDE) return 0;
    this.skipped = 0;
    return STRIDE;
  }
}
