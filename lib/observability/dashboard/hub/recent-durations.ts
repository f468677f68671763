import { percentileOf, SLOTS } from '../../../kernel/latency-scale.js';
import type { CallCounts } from '../../../read-model/call-counts.js';

/** Percentiles are of so much of the past, ms ... */
const SPAN_MS = 10_000;
/** ... give or take so much. */
const STEP_MS = 2_000;

/** Durations in ms; null: nothing has ended. */
export type Percentiles = readonly [p50: number | null, p95: number | null, p99: number | null];

const NONE: Percentiles = [null, null, null];

/** What had been counted at a moment. */
interface Mark {
  at: number;
  total: number;
  readonly slots: Uint32Array;
}

const scratch = new Uint32Array(SLOTS);

/** How long the calls of the last seconds took, read from what is counted for ever. */
export class RecentDurations {
  /** Oldest first. */
  readonly #marks: Mark[];

  /** @param counts of which nothing has been counted before `now`. */
  constructor(
    private readonly counts: CallCounts,
    now: number,
  ) {
    this.#marks = [{ at: now, total: 0, slots: new Uint32Array(SLOTS) }];
  }

  at(now: number): Percentiles {
    const { success, failure } = this.counts.callDurations;
    const total = success.count + failure.count;
    const base = this.#baseAt(now);
    const percentiles = total === base.total ? NONE : this.#since(base, total - base.total);
    const newest = this.#marks.at(-1) as Mark;
    // Where nothing has ended since, the mark before stands for this moment as well.
    if (now - newest.at >= STEP_MS && newest.total !== total) this.#mark(now, total);
    return percentiles;
  }

  /** The newest mark that is as old as the span; those before it are of no more use. */
  #baseAt(now: number): Mark {
    const marks = this.#marks;
    while (marks.length > 1 && (marks[1] as Mark).at <= now - SPAN_MS) marks.shift();
    return marks[0] as Mark;
  }

  #since({ slots }: Mark, total: number): Percentiles {
    const { success, failure } = this.counts.callDurations;
    for (let slot = 0; slot < SLOTS; slot++)
      scratch[slot] = (success.slots[slot] as number) + (failure.slots[slot] as number) - (slots[slot] as number);
    const of = (fraction: number): number => rounded(percentileOf(scratch, total, fraction));
    return [of(0.5), of(0.95), of(0.99)];
  }

  #mark(at: number, total: number): void {
    const { success, failure } = this.counts.callDurations;
    const slots = success.slots.slice();
    for (let slot = 0; slot < SLOTS; slot++) (slots[slot] as number) += failure.slots[slot] as number;
    this.#marks.push({ at, total, slots });
  }
}

/** To some three digits: more are noise, and go over the wire each second. */
function rounded(ms: number): number {
  if (ms >= 100) return Math.round(ms);
  const scale = ms >= 10 ? 10 : 100;
  return Math.round(ms * scale) / scale;
}
