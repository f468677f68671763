import { AdaptiveLimit, type Ending } from '../../kernel/adaptive-limit/adaptive-limit.js';
import { ask, rank } from '../../kernel/ask.js';
import type { Attempt } from '../../kernel/attempt.js';
import { DeadlineQueue } from '../../kernel/deadline-queue.js';
import { refused, type Admission } from '../../kernel/guard.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { Bulkheads } from './bulkheads.js';
import type { StartRamp } from '../../kernel/start-ramp.js';
import type { ResolvedBulkhead } from './bulkhead.options.js';
import { BulkheadQueue } from './bulkhead-queue.js';
import { BulkheadRefusals } from './bulkhead-refusals.js';
import { SlotGuard, slotOf } from './slot.guard.js';
import { Slot, slotAround } from './slot.js';

/**
 * Lets a bounded number of calls run at once; a bounded number waits, the more important first, among equals first come
 * first served. A slot is free again when the work has really ended, also when its caller has long gone.
 */
export class BulkheadGuard extends SlotGuard implements Bulkheads {
  readonly keys = undefined;
  #active = 0;
  #abandoned = 0;
  readonly #queue: BulkheadQueue;
  readonly #refusals: BulkheadRefusals;
  /** How a fixed limit grows when the app starts; an adaptive one finds its own way. */
  readonly #ramp: StartRamp | undefined;
  #options: ResolvedBulkhead;
  #adaptive: AdaptiveLimit | undefined;
  #abandonments: DeadlineQueue | undefined;

  constructor(
    readonly name: string,
    options: ResolvedBulkhead,
    /** @internal */ readonly environment: PolicyEnvironment,
    private readonly onIdle?: () => void,
  ) {
    super();
    this.#options = options;
    this.#ramp = environment.startRamp;
    this.#refusals = new BulkheadRefusals(this, environment);
    this.#queue = new BulkheadQueue(this, this.#refusals);
    this.#adaptive = this.#adaptiveOf(options);
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
    this.#queue.reconfigure(options);
    if (options.abandonAfter !== before.abandonAfter) this.#abandonments = this.#abandonmentsOf(options);
    this.#admitNext();
  }

  #adaptiveOf({ maxConcurrent }: ResolvedBulkhead): AdaptiveLimit | undefined {
    if (typeof maxConcurrent === 'number') return undefined;
    const tell = (limit: number, before: number): void => this.#tellLimit(limit, before);
    return new AdaptiveLimit(maxConcurrent.options, this.environment.clock.now(), tell);
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
    if (this.#adaptive !== undefined) return this.#adaptive.current;
    const limit = this.#options.maxConcurrent as number;
    return this.#ramp === undefined ? limit : this.#ramp.of(limit);
  }

  /** How much work goes on without a slot, long after its caller has gone. */
  get abandonedNow(): number {
    return this.#abandoned;
  }

  /** Whether nobody holds a slot, or waits for one. */
  get idle(): boolean {
    return this.#active === 0 && this.#queue.size === 0;
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
    if (this.environment.lifecycle.closing) return refused(this.#refusals.shutDown());
    if (attempt.rare?.probe === true) return refused(this.#refusals.notForProbes());
    const priority = this.#priorityOf(attempt);
    // The user's function may have done anything: cut the call, closed the app, made calls of its own.
    if (attempt.aborted) return refused(attempt.reason);
    if (this.environment.lifecycle.closing) return refused(this.#refusals.shutDown());
    if (this.#hasRoom(around)) return this.#letIn(attempt, around);
    return around === undefined
      ? this.#queue.enter(attempt, priority)
      : this.#queue.enterLoan(attempt, priority, around);
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
    this.#abandoned++;
    const { events } = this.environment;
    if (events.active) events.emit({ type: 'abandoned', name: this.name, policy: 'bulkhead', afterMs });
  }

  /** @internal */
  abandonedEnded(): void {
    this.#abandoned--;
  }

  /**
   * @internal
   * @param abandoned whether the work goes on without a slot.
   */
  freed(call: Attempt, abandoned: boolean): void {
    this.#active--;
    try {
      this.#queue.freed(abandoned ? undefined : call.startedAt);
    } finally {
      this.#admitNext();
      if (this.idle) this.onIdle?.();
    }
  }

  #admitNext(): void {
    while (this.#active < this.limit || this.#options.mode === 'metricsOnly') {
      const next = this.#queue.next();
      if (next === undefined) return;
      next.admit();
    }
  }

  #priorityOf(call: Attempt): number {
    const { priority } = this.options;
    if (priority === undefined) return 0;
    return ask(this.environment, `${this.name}, priority`, rank, 0, () => priority(call));
  }

  #tellLimit(limit: number, before: number): void {
    const { events } = this.environment;
    if (events.active) events.emit({ type: 'limitChange', name: this.name, policy: 'bulkhead', limit, before });
  }
}
