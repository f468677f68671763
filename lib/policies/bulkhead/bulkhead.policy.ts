import { AsyncResource } from 'node:async_hooks';
import { AdaptiveLimit, type Ending } from '../../kernel/adaptive-limit/adaptive-limit.js';
import { ask, rank } from '../../kernel/ask.js';
import type { Call, Next } from '../../kernel/call.js';
import { DeadlineQueue } from '../../kernel/deadline-queue.js';
import type { Policy, PolicyEnvironment } from '../../kernel/policy.js';
import { rejected } from '../../kernel/rejection.js';
import type { ResolvedBulkhead } from './bulkhead.options.js';
import { BulkheadRefusals } from './bulkhead-refusals.js';
import { Handover } from './handover.js';
import { QueuedCall, STALLED_MS, type Line, type Patience } from './queued-call.js';
import { Slot, slotAround } from './slot.js';
import { WaitingLine } from './waiting-line.js';

/** The weight of the newest run in the mean run time. */
const MEAN_WEIGHT = 0.1;

/**
 * Lets a bounded number of calls run at once; a bounded number waits, the more important first, among equals first come
 * first served. A slot is free again when the work has really ended, also when its caller has long gone.
 */
export class BulkheadPolicy implements Policy {
  #active = 0;
  #meanRunMs = 0;
  readonly #line = { calls: new WaitingLine<QueuedCall>(), freedAt: -Infinity };
  readonly #queue = this.#line.calls;
  /** Those who wait for a loan; they take a slot of their own if one comes free before. */
  readonly #loans = new Set<Line>();
  readonly #handover = new Handover(() => this.#admitNext());
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

  execute(call: Call, next: Next): Promise<unknown> {
    if (call.aborted) return rejected(call.reason);
    const around = slotAround(call, this);
    if (this.#hasRoom(around)) return this.#begin(call, next, around);
    if (call.underway) return this.#run(call, next, undefined);
    if (this.#options.mode === 'metricsOnly') return this.#runAnyway(call, next);
    if (this.environment.lifecycle.closing) return rejected(this.shutDown());
    // Those who wait are sure of the slots that have come free: there may be more of these.
    if (call.probe)
      return this.#active + this.#queue.size < this.limit
        ? this.#run(call, next, undefined)
        : rejected(this.#refusals.notForProbes());
    const priority = this.#priorityOf(call);
    // The user's function may have done anything: cut the call, closed the app, made calls of its own.
    if (call.aborted) return rejected(call.reason);
    if (this.environment.lifecycle.closing) return rejected(this.shutDown());
    if (this.#hasRoom(around)) return this.#begin(call, next, around);
    return around === undefined ? this.#queueUp(call, next, priority) : this.#wait(call, next, priority, around);
  }

  #begin(call: Call, next: Next, around: Slot | undefined): Promise<unknown> {
    return this.#run(call, next, around?.loans.none === true ? around : undefined);
  }

  /** Whether a call may begin now, on the slot of a call around it or on one of its own. */
  #hasRoom(around: Slot | undefined): boolean {
    return around?.loans.none === true || (this.#active < this.limit && this.#queue.size === 0);
  }

  /** What would wait counts as if it had got a slot; what would be refused counts not at all. */
  #runAnyway(call: Call, next: Next): Promise<unknown> {
    const waiting = this.#active - this.limit;
    if (waiting < this.#options.maxQueue) return this.#run(call, next, undefined);
    this.#refusals.wouldBeFull(waiting);
    return next(call);
  }

  #queueUp(call: Call, next: Next, priority: number): Promise<unknown> {
    // A slot that has come free is promised to the first in line, who does not need a place in the queue any more.
    const promised = Math.max(0, this.limit - this.#active);
    const waiting = this.#queue.size - promised;
    const full = waiting >= this.options.maxQueue;
    const displaced = full && waiting > 0 ? this.#queue.last : undefined;
    if (full && (displaced === undefined || displaced.priority >= priority))
      return rejected(this.#refusals.queueFull(this.#queue.size));
    const hopeless = this.#hopeless(call, priority, promised);
    if (hopeless !== undefined) return rejected(hopeless);
    displaced?.cut(this.#refusals.displaced());
    return this.#wait(call, next, priority, undefined);
  }

  #wait(call: Call, next: Next, priority: number, lender: Slot | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // It begins in the context of its own caller, not in that of the call whose slot it gets.
      const run = AsyncResource.bind(() =>
        resolve(this.#run(call, next, lender?.loans.out === false ? lender : undefined)),
      );
      const line = lender?.loans ?? this.#line;
      if (lender !== undefined) this.#loans.add(line);
      new QueuedCall(this, line, call, priority, this.#patienceOf(call), run, reject).begin();
    });
  }

  /** What bounds the wait of a call; undefined: something else does, or nothing is to. */
  #patienceOf(call: Call): Patience | undefined {
    const { maxWait } = this.#options;
    if (maxWait !== undefined) return this.#waits;
    if (call.deadline !== Infinity || call.signalled) return undefined;
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

  #run(call: Call, next: Next, lender: Slot | undefined): Promise<unknown> {
    const slot = new Slot(this, call, this.#abandonments, lender);
    call.slot = slot;
    if (lender === undefined) {
      this.#active++;
      this.#adaptive?.began(call.instant(), this.#active);
    }
    // The promise of the work itself is not given on: we have listened to it, so nobody would be told when the caller
    // listens to none.
    return next(call).then(slot.free, slot.fail);
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
  measured(call: Call, ending: Ending): void {
    if (this.#adaptive === undefined || call.startedAt === undefined) return;
    const now = this.environment.clock.now();
    this.#adaptive.ended(now, now - call.startedAt, this.#active, ending);
    // The limit may have grown, and no slot need come free.
    this.#admitSoon();
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
  released(call: Call, abandoned: boolean): void {
    this.#active--;
    const now = this.environment.clock.now();
    this.#line.freedAt = now;
    if (!abandoned && call.startedAt !== undefined) {
      const ms = now - call.startedAt;
      this.#meanRunMs = this.#meanRunMs === 0 ? ms : this.#meanRunMs + MEAN_WEIGHT * (ms - this.#meanRunMs);
    }
    this.#admitSoon();
  }

  #admitSoon(): void {
    if (this.#queue.size > 0 || this.#loans.size > 0) this.#handover.soon();
  }

  #admitNext(): void {
    while (this.#active < this.limit || this.#options.mode === 'metricsOnly') {
      const first = this.#queue.first ?? this.#firstForLoan();
      if (first === undefined) return;
      first.admit();
    }
  }

  #firstForLoan(): QueuedCall | undefined {
    for (const line of this.#loans) {
      if (line.calls.first !== undefined) return line.calls.first;
      this.#loans.delete(line);
    }
    return undefined;
  }

  #priorityOf(call: Call): number {
    const { priority } = this.options;
    if (priority === undefined) return 0;
    return ask(this.environment, `${this.name}, priority`, rank, 0, () => priority(call));
  }

  /** A call whose turn cannot come before its time is over is better told at once. */
  #hopeless(call: Call, priority: number, promised: number): Error | undefined {
    const { maxWait = Infinity } = this.options;
    const ahead = Math.max(0, this.#queue.ahead(priority) - promised);
    const expected = (ahead * this.#meanRunMs) / this.limit;
    const allowed = Math.min(maxWait, call.deadline - this.environment.clock.now());
    return expected <= allowed ? undefined : this.#refusals.hopeless(expected, allowed);
  }

  #tellLimit(limit: number, before: number): void {
    const { events } = this.environment;
    if (events.active) events.emit({ type: 'limitChange', name: this.name, policy: 'bulkhead', limit, before });
  }
}
