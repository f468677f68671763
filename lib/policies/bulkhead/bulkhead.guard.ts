import { AdaptiveLimit, type Ending } from '../../kernel/adaptive-limit/adaptive-limit.js';
import { ask, rank } from '../../kernel/ask.js';
import type { Attempt } from '../../kernel/attempt.js';
import { isSignalled } from '../../kernel/call.js';
import { DeadlineQueue } from '../../kernel/deadline-queue.js';
import { Guard, refused, type Admission } from '../../kernel/guard.js';
import type { Failure } from '../../kernel/outcome/failure.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { ResolvedBulkhead } from './bulkhead.options.js';
import { BulkheadRefusals } from './bulkhead-refusals.js';
import { QueuedAttempt, STALLED_MS, type Line, type Patience } from './queued-attempt.js';
import { Slot, slotAround } from './slot.js';
import { WaitingLine } from './waiting-line.js';

/** The weight of the newest run in the mean run time. */
const MEAN_WEIGHT = 0.1;

/**
 * Lets a bounded number of calls run at once; a bounded number waits, the more important first, among equals first come
 * first served. A slot is free again when the work has really ended, also when its caller has long gone.
 */
export class BulkheadGuard extends Guard {
  #active = 0;
  #meanRunMs = 0;
  readonly #line = { calls: new WaitingLine<QueuedAttempt>(), freedAt: -Infinity };
  readonly #queue = this.#line.calls;
  /** Those who wait for a loan; they take a slot of their own if one comes free before. */
  readonly #loans = new Set<Line>();
  readonly #refusals: BulkheadRefusals;
  #options: ResolvedBulkhead;
  #adaptive: AdaptiveLimit | undefined;
  #waits: Patience | undefined;
  #stalls: Patience | undefined;
  #abandonments: DeadlineQueue | undefined;

  constructor(
    readonly name: string,
    options: ResolvedBulkhead,
    /** @internal */ readonly environment: PolicyEnvironment,
  ) {
    super();
    this.#options = options;
    this.#refusals = new BulkheadRefusals(this, environment);
    this.#adaptive = this.#adaptiveOf(options);
    this.#waits = this.#waitsOf(options);
    this.#abandonments = this.#abandonmentsOf(options);
  }

  /** @internal */
  get options(): ResolvedBulkhead {
    return this.#options;
  }

  /**
   * Takes on other options. Who runs and who waits stays, under the times with which it came; a higher limit lets in who
   * waits at once, a lower one lets finish who runs.
   */
  reconfigure(options: ResolvedBulkhead): void {
    const before = this.#options;
    this.#options = options;
    const { maxConcurrent } = options;
    if (typeof maxConcurrent !== 'number' && this.#adaptive !== undefined)
      this.#adaptive.reconfigure(maxConcurrent.options);
    else this.#adaptive = this.#adaptiveOf(options);
    if (options.maxWait !== before.maxWait) this.#waits = this.#waitsOf(options);
    if (options.abandonAfter !== before.abandonAfter) this.#abandonments = this.#abandonmentsOf(options);
    this.#admitNext();
  }

  #adaptiveOf({ maxConcurrent }: ResolvedBulkhead): AdaptiveLimit | undefined {
    if (typeof maxConcurrent === 'number') return undefined;
    const tell = (limit: number, before: number): void => this.#tellLimit(limit, before);
    return new AdaptiveLimit(maxConcurrent.options, this.environment.clock.now(), tell);
  }

  #waitsOf({ maxWait = Infinity }: ResolvedBulkhead): Patience | undefined {
    const { clock, lifecycle } = this.environment;
    return maxWait === Infinity
      ? undefined
      : { queue: new DeadlineQueue(maxWait, clock, lifecycle), untilStalled: false };
  }

  #abandonmentsOf({ abandonAfter }: ResolvedBulkhead): DeadlineQueue | undefined {
    const { clock, lifecycle } = this.environment;
    return abandonAfter === false ? undefined : new DeadlineQueue(abandonAfter, clock, lifecycle, false);
  }

  /** How many calls hold a slot. */
  get active(): number {
    return this.#active;
  }

  /** How many may run at once now. */
  get limit(): number {
    return this.#adaptive?.current ?? (this.options.maxConcurrent as number);
  }

  /** How many calls wait for a slot. */
  get waiting(): number {
    return this.#queue.size;
  }

  admit(attempt: Attempt): Admission {
    if (attempt.aborted) return refused(attempt.reason);
    const around = slotAround(attempt, this);
    if (this.#hasRoom(around)) return this.#letIn(attempt, around);
    if (attempt.rare?.underway === true) return this.#take(attempt, undefined);
    if (this.#options.mode === 'metricsOnly') return this.#letInAnyway(attempt);
    if (this.environment.lifecycle.closing) return refused(this.shutDown());
    if (attempt.rare?.probe === true) return refused(this.#refusals.notForProbes());
    const priority = this.#priorityOf(attempt);
    // The user's function may have done anything: cut the call, closed the app, made calls of its own.
    if (attempt.aborted) return refused(attempt.reason);
    if (this.environment.lifecycle.closing) return refused(this.shutDown());
    if (this.#hasRoom(around)) return this.#letIn(attempt, around);
    return around === undefined ? this.#queueUp(attempt, priority) : this.#wait(attempt, priority, around);
  }

  override settled(attempt: Attempt, _value: unknown, failure: Failure | undefined): void {
    slotOf(attempt)?.settled(failure);
  }

  override released(attempt: Attempt, failure: Failure | undefined): void {
    slotOf(attempt)?.released(failure);
  }

  override wanted(attempt: Attempt): void {
    slotOf(attempt)?.resume();
  }

  override parked(attempt: Attempt): void {
    slotOf(attempt)?.park();
  }

  #letIn(attempt: Attempt, around: Slot | undefined): undefined {
    return this.#take(attempt, around?.loans.none === true ? around : undefined);
  }

  /** Whether an attempt may begin now, on the slot of one around it or on one of its own. */
  #hasRoom(around: Slot | undefined): boolean {
    return around?.loans.none === true || (this.#active < this.limit && this.#queue.size === 0);
  }

  /** What would wait counts as if it had got a slot; what would be refused counts not at all. */
  #letInAnyway(attempt: Attempt): undefined {
    const waiting = this.#active - this.limit;
    if (waiting < this.#options.maxQueue) return this.#take(attempt, undefined);
    this.#refusals.wouldBeFull(waiting);
    return undefined;
  }

  #queueUp(attempt: Attempt, priority: number): Admission {
    const waiting = this.#queue.size;
    const full = waiting >= this.options.maxQueue;
    const displaced = full && waiting > 0 ? this.#queue.last : undefined;
    if (full && (displaced === undefined || displaced.priority >= priority))
      return refused(this.#refusals.queueFull(waiting));
    const hopeless = this.#hopeless(attempt, priority);
    if (hopeless !== undefined) return refused(hopeless);
    displaced?.cut(this.#refusals.displaced());
    return this.#wait(attempt, priority, undefined);
  }

  #wait(attempt: Attempt, priority: number, lender: Slot | undefined): QueuedAttempt {
    const line = lender?.loans ?? this.#line;
    if (lender !== undefined) this.#loans.add(line);
    return new QueuedAttempt(this, line, attempt, priority, this.#patienceOf(attempt), lender);
  }

  /** What bounds the wait of a call; undefined: something else does, or nothing is to. */
  #patienceOf(call: Attempt): Patience | undefined {
    const { maxWait } = this.#options;
    if (maxWait !== undefined) return this.#waits;
    if (call.deadline !== Infinity || isSignalled(call)) return undefined;
    const { clock, lifecycle } = this.environment;
    return (this.#stalls ??= { queue: new DeadlineQueue(STALLED_MS, clock, lifecycle), untilStalled: true });
  }

  /** @internal */
  waitedInVain(ms: number): Error {
    return this.#refusals.waitedInVain(ms);
  }

  /** @internal */
  stalled(): Error {
    return this.#refusals.stalled();
  }

  /** @internal */
  shutDown(): Error {
    return this.#refusals.shutDown();
  }

  #take(attempt: Attempt, lender: Slot | undefined): undefined {
    const slot = new Slot(this, attempt, this.#abandonments, lender);
    if (lender === undefined) this.#active++;
    attempt.slot = slot;
    if (lender === undefined) this.#adaptive?.began(this.environment.clock.now(), this.#active);
  }

  /** @internal */
  handOver(attempt: Attempt, lender: Slot | undefined): void {
    this.#take(attempt, lender);
  }

  /** @internal */
  takeBack(attempt: Attempt): void {
    slotOf(attempt)?.released(undefined);
  }

  /** Whether the limit wants to know how long calls take. @internal */
  get measures(): boolean {
    return this.#adaptive !== undefined;
  }

  /**
   * The work of a call has ended, or has been cut by its time.
   *
   * @internal
   */
  measured(call: Attempt, ending: Ending): void {
    if (this.#adaptive === undefined || call.startedAt === undefined) return;
    const now = this.environment.clock.now();
    this.#adaptive.ended(now, now - call.startedAt, this.#active, ending);
    // The limit may have grown, and no slot need come free.
    this.#admitNext();
  }

  /** @internal */
  abandoned(afterMs: number): void {
    const { events } = this.environment;
    if (events.active) events.emit({ type: 'abandoned', name: this.name, policy: 'bulkhead', afterMs });
  }

  /**
   * @internal
   * @param abandoned whether the work goes on without a slot.
   */
  freed(call: Attempt, abandoned: boolean): void {
    this.#active--;
    try {
      const now = this.environment.clock.now();
      this.#line.freedAt = now;
      if (!abandoned && call.startedAt !== undefined) {
        const ms = now - call.startedAt;
        this.#meanRunMs = this.#meanRunMs === 0 ? ms : this.#meanRunMs + MEAN_WEIGHT * (ms - this.#meanRunMs);
      }
    } finally {
      this.#admitNext();
    }
  }

  #admitNext(): void {
    while (this.#active < this.limit || this.#options.mode === 'metricsOnly') {
      const first = this.#queue.first ?? this.#firstForLoan();
      if (first === undefined) return;
      first.admit();
    }
  }

  #firstForLoan(): QueuedAttempt | undefined {
    for (const line of this.#loans) {
      if (line.calls.first !== undefined) return line.calls.first;
      this.#loans.delete(line);
    }
    return undefined;
  }

  #priorityOf(call: Attempt): number {
    const { priority } = this.options;
    if (priority === undefined) return 0;
    return ask(this.environment, `${this.name}, priority`, rank, 0, () => priority(call));
  }

  /** A call whose turn cannot come before its time is over is better told at once. */
  #hopeless(call: Attempt, priority: number): Error | undefined {
    const { maxWait = Infinity } = this.options;
    const ahead = this.#queue.ahead(priority);
    const expected = (ahead * this.#meanRunMs) / this.limit;
    const allowed = Math.min(maxWait, call.deadline - this.environment.clock.now());
    return expected <= allowed ? undefined : this.#refusals.hopeless(expected, allowed);
  }

  #tellLimit(limit: number, before: number): void {
    const { events } = this.environment;
    if (events.active) events.emit({ type: 'limitChange', name: this.name, policy: 'bulkhead', limit, before });
  }
}

function slotOf({ slot }: Attempt): Slot | undefined {
  return slot as Slot | undefined;
}
