import { MAX_DELAY_MS } from '../../kernel/options/check.js';
import type { Clock, Timer } from '../../kernel/clock.js';
import type { Bucket } from './bucket.js';
import { DueHeap } from './due-heap.js';
import type { Wanted } from './wanted.js';

/** What the sums of times may be wrong by, ms. */
export const ROUNDING_MS = 1e-6;

/** How many stale looks are kept at least. */
const SPARE_LOOKS = 16;

/** A call that waits for its turn. */
export interface InLine {
  readonly wanted: Wanted;
  /** Its turn has come. */
  admit(): void;
  /** Its turn, `turnAt`, comes too late. */
  tooLate(turnAt: number, now: number): void;
}

/** Those that wait for one bucket, in order of arrival. */
interface Line {
  readonly bucket: Bucket;
  readonly calls: Set<InLine>;
  /** When its first call is looked at; Infinity: not noted. */
  lookAt: number;
}

/**
 * The calls that wait under one limiter, a line for each bucket. One timer wakes them all; it exists only while
 * somebody waits. A turn is reckoned when it comes, so that those behind a call that leaves move up.
 */
export class WaitingLines {
  readonly #lines = new Map<Bucket, Line>();
  readonly #looks = new DueHeap<Line>();
  #timer: Timer | undefined;
  #timerDue = Infinity;
  /** While the timer works, it is set again once, at the end; and the line at hand is looked at anyway. */
  #awake = false;
  #served: Line | undefined;
  #size = 0;

  constructor(private readonly clock: Clock) {}

  /** How many calls wait. */
  get size(): number {
    return this.#size;
  }

  join(call: InLine): void {
    const { bucket, cost } = call.wanted;
    let line = this.#lines.get(bucket);
    if (line === undefined) this.#lines.set(bucket, (line = { bucket, calls: new Set(), lookAt: Infinity }));
    line.calls.add(call);
    this.#size++;
    bucket.enter(cost);
    if (line.calls.size === 1) this.#look(line, bucket.turnOfFirst(cost));
  }

  leave(call: InLine): void {
    const { bucket, cost } = call.wanted;
    const line = this.#lines.get(bucket);
    if (line?.calls.delete(call) !== true) return;
    this.#size--;
    bucket.leave(cost);
    const [first] = line.calls;
    if (first !== undefined) {
      // The one behind may be cheaper, and so its turn earlier.
      if (line !== this.#served) this.#look(line, bucket.turnOfFirst(first.wanted.cost));
      return;
    }
    line.lookAt = Infinity;
    this.#lines.delete(bucket);
    if (this.#lines.size === 0) this.#sleep();
  }

  /** Nobody waits any longer. */
  admitAll(): void {
    for (const { bucket, calls } of [...this.#lines.values()]) {
      for (const call of [...calls]) {
        bucket.take(call.wanted.cost);
        call.admit();
      }
    }
  }

  /** Reckons every turn anew, after rates have changed. */
  refresh(): void {
    for (const line of this.#lines.values()) {
      const [first] = line.calls;
      if (first !== undefined) this.#look(line, line.bucket.turnOfFirst(first.wanted.cost));
    }
  }

  #look(line: Line, at: number): void {
    if (line.lookAt === at) return;
    line.lookAt = at;
    this.#looks.push(at, line);
    if (this.#looks.size > 2 * this.#lines.size + SPARE_LOOKS) this.#dropStaleLooks();
    if (!this.#awake) this.#arm();
  }

  /** Those of lines that are gone or were put off; where lines come and go under one that stays, they pile up. */
  #dropStaleLooks(): void {
    this.#looks.clear();
    for (const line of this.#lines.values()) if (line.lookAt < Infinity) this.#looks.push(line.lookAt, line);
  }

  #arm(): void {
    const at = this.#looks.firstAt;
    if (at >= this.#timerDue) return;
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer);
    this.#timerDue = at;
    const ms = Math.ceil(at - this.clock.now() - ROUNDING_MS);
    this.#timer = this.clock.setTimeout(this.#onTimer, Math.max(1, Math.min(ms, MAX_DELAY_MS)));
  }

  #sleep(): void {
    this.#looks.clear();
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerDue = Infinity;
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.#timerDue = Infinity;
    this.#awake = true;
    try {
      const now = this.clock.now();
      for (let at = this.#looks.firstAt; at <= now + ROUNDING_MS; at = this.#looks.firstAt) {
        const line = this.#looks.pop() as Line;
        // A look that was put off is noted twice.
        if (line.lookAt === at) this.#serve(line, now);
      }
    } finally {
      this.#awake = false;
      this.#served = undefined;
      this.#arm();
    }
  };

  #serve(line: Line, now: number): void {
    const { bucket, calls } = line;
    line.lookAt = Infinity;
    this.#served = line;
    bucket.settle(now - bucket.rate.makeUpMs);
    for (const call of calls) {
      const { cost, latest } = call.wanted;
      const waitMs = bucket.waitOfFirst(cost, now);
      const beginsAt = now + Math.max(0, waitMs);
      if (beginsAt > latest + ROUNDING_MS) {
        call.tooLate(beginsAt, now);
        continue;
      }
      if (waitMs > ROUNDING_MS) return this.#look(line, bucket.turnOfFirst(cost));
      bucket.take(cost);
      call.admit();
    }
  }
}
