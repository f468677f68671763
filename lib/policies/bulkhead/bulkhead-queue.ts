import type { Attempt } from '../../kernel/attempt.js';
import { refused, type Admission } from '../../kernel/guard.js';
import type { BulkheadRefusals } from './bulkhead-refusals.js';
import type { ResolvedBulkhead } from './bulkhead.options.js';
import { Patiences } from './patience.js';
import { QueuedAttempt, type Desk, type Line } from './queued-attempt.js';
import type { Slot } from './slot.js';
import { WaitingLine } from './waiting-line.js';

/** The weight of the newest run in the mean run time. */
const MEAN_WEIGHT = 0.1;

/** What the queue knows of its bulkhead. */
interface Queued extends Desk {
  readonly options: ResolvedBulkhead;
  readonly limit: number;
}

/** Those who wait for the slots of a bulkhead: who may, for how long, and whose turn is next. */
export class BulkheadQueue implements Line {
  readonly calls = new WaitingLine<QueuedAttempt>();
  freedAt = -Infinity;
  /** Those who wait for a loan; they take a slot of their own if one comes free before. */
  readonly #loans = new Set<Line>();
  readonly #patiences: Patiences;
  #meanRunMs = 0;

  constructor(
    private readonly bulkhead: Queued,
    private readonly refusals: BulkheadRefusals,
  ) {
    this.#patiences = new Patiences(bulkhead.options.maxWait, bulkhead.environment);
  }

  reconfigure({ maxWait }: ResolvedBulkhead): void {
    this.#patiences.reconfigure(maxWait);
  }

  /** How many wait for a slot; those who wait for a loan do not count. */
  get size(): number {
    return this.calls.size;
  }

  /** Whose turn it is when a slot comes free. */
  next(): QueuedAttempt | undefined {
    return this.calls.first ?? this.#firstForLoan();
  }

  /** Lets an attempt wait for a slot, in the place of a less important one where there is no other. */
  enter(attempt: Attempt, priority: number): Admission {
    const { calls } = this;
    const waiting = calls.size;
    const full = waiting >= this.bulkhead.options.maxQueue;
    const displaced = full && waiting > 0 ? calls.last : undefined;
    if (full && (displaced === undefined || displaced.priority >= priority))
      return refused(this.refusals.queueFull(waiting));
    const hopeless = this.#hopeless(attempt, priority);
    if (hopeless !== undefined) return refused(hopeless);
    displaced?.cut(this.refusals.displaced());
    return this.#wait(attempt, priority, this, undefined);
  }

  /** Lets an attempt wait for the slot of one around it. */
  enterLoan(attempt: Attempt, priority: number, lender: Slot): Admission {
    this.#loans.add(lender.loans);
    return this.#wait(attempt, priority, lender.loans, lender);
  }

  /**
   * A slot has come back.
   *
   * @param startedAt when its work began; undefined: it never has, or it goes on without the slot.
   */
  freed(startedAt: number | undefined): void {
    const now = this.bulkhead.environment.clock.now();
    this.freedAt = now;
    if (startedAt === undefined) return;
    const ms = now - startedAt;
    this.#meanRunMs = this.#meanRunMs === 0 ? ms : this.#meanRunMs + MEAN_WEIGHT * (ms - this.#meanRunMs);
  }

  #wait(attempt: Attempt, priority: number, line: Line, lender: Slot | undefined): QueuedAttempt {
    return new QueuedAttempt(
      this.bulkhead,
      this.refusals,
      line,
      attempt,
      priority,
      this.#patiences.of(attempt),
      lender,
    );
  }

  #firstForLoan(): QueuedAttempt | undefined {
    for (const line of this.#loans) {
      if (line.calls.first !== undefined) return line.calls.first;
      this.#loans.delete(line);
    }
    return undefined;
  }

  /** A call whose turn cannot come before its time is over is better told at once. */
  #hopeless(call: Attempt, priority: number): Error | undefined {
    const { environment, limit, options } = this.bulkhead;
    const ahead = this.calls.ahead(priority);
    const expected = (ahead * this.#meanRunMs) / limit;
    const allowed = Math.min(options.maxWait ?? Infinity, call.deadline - environment.clock.now());
    return expected <= allowed ? undefined : this.refusals.hopeless(expected, allowed);
  }
}
