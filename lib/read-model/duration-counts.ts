import { SLOTS, slotOf } from '../kernel/latency-scale.js';

/** The boundaries of the buckets that durations are counted in, seconds; those of MicroProfile Fault Tolerance. */
export const DEFAULT_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** How long something took, counted for ever: a few additions each, and nothing is allocated. */
export class DurationCounts {
  count = 0;
  sumMs = 0;
  /** How many took at most as long as each boundary and longer than the one before; the last: longer than all. */
  readonly buckets: number[];
  /** The same on the fine scale that percentiles are read from; see latency-scale.ts. */
  readonly slots = new Uint32Array(SLOTS);

  /** @param bounds ascending, ms. */
  constructor(private readonly bounds: readonly number[]) {
    this.buckets = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  record(ms: number): void {
    this.count++;
    this.sumMs += ms;
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && ms > (bounds[bucket] as number)) bucket++;
    (this.buckets[bucket] as number)++;
    (this.slots[slotOf(ms)] as number)++;
  }
}
