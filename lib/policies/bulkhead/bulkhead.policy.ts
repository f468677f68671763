import { AsyncResource } from 'node:async_hooks';
import { BulkheadFullException } from '../../errors/bulkhead-full.exception.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import { AdaptiveLimit, type Ending } from '../adaptive-limit/adaptive-limit.js';
import { ask, rank } from '../ask.js';
import type { Call, Next } from '../call.js';
import { DeadlineQueue } from '../deadline-queue.js';
import type { Policy, PolicyEnvironment } from '../policy.js';
import { rejected } from '../rejection.js';
import type { ResolvedBulkhead } from './bulkhead.options.js';
import { QueuedCall } from './queued-call.js';
import { Slot } from './slot.js';
import { WaitingLine } from './waiting-line.js';

/** The weight of the newest run in the mean run time. */
const MEAN_WEIGHT = 0.1;
/**
 * An error is on its way to the breaker for so many turns at most: through our own promise, that of a call which has
 * waited here, a time limit and a rate limit with a queue there are six.
 */
const JUDGEMENT_TURNS = 8;

/**
 * Lets a bounded number of calls run at once; a bounded number waits, the more important first, among equals first come
 * first served. A slot is free again when the work has really ended, also when its caller has long gone.
 */
export class BulkheadPolicy implements Policy {
  #active = 0;
  #meanRunMs = 0;
  #admitting = false;
  readonly #queue = new WaitingLine<QueuedCall>();
  #options: ResolvedBulkhead;
  #adaptive: AdaptiveLimit | undefined;
  #waits: DeadlineQueue | undefined;
  #abandonments: DeadlineQueue | undefined;

  constructor(
    readonly name: string,
    options: ResolvedBulkhead,
    /** @internal */ readonly environment: PolicyEnvironment,
  ) {
    this.#options = options;
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

  #waitsOf({ maxWait }: ResolvedBulkhead): DeadlineQueue | undefined {
    const { clock, lifecycle } = this.environment;
    return maxWait === undefined ? undefined : new DeadlineQueue(maxWait, clock, lifecycle);
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
    if (this.#active < this.limit && this.#queue.size === 0) return this.#run(call, next);
    if (call.underway) return this.#run(call, next);
    if (this.#options.mode === 'metricsOnly') return this.#runAnyway(call, next);
    if (this.environment.lifecycle.closing) return rejected(this.shutDown());
    if (call.probe) return rejected(this.#full('a probe of a half-open breaker does not wait'));
    return this.#wait(call, next);
  }

  /** What would wait counts as if it had got a slot; what would be refused counts not at all. */
  #runAnyway(call: Call, next: Next): Promise<unknown> {
    const { maxQueue } = this.#options;
    const waiting = this.#active - this.limit;
    if (waiting < maxQueue) return this.#run(call, next);
    this.#full(`${waiting} would wait already, limit ${maxQueue}`);
    return next(call);
  }

  #wait(call: Call, next: Next): Promise<unknown> {
    const { maxQueue } = this.options;
    const priority = this.#priorityOf(call);
    const full = this.#queue.size >= maxQueue;
    const displaced = full ? this.#queue.last : undefined;
    if (full && (displaced === undefined || displaced.priority >= priority))
      return rejected(this.#full(`${this.#queue.size} wait already, limit ${maxQueue}`));
    const hopeless = this.#hopeless(call, priority);
    if (hopeless !== undefined) return rejected(hopeless);
    displaced?.cut(this.#full('a more important call took its place in the queue'));
    return new Promise((resolve, reject) => {
      // It begins in the context of its own caller, not in that of the call whose slot it gets.
      const run = AsyncResource.bind(() => resolve(this.#run(call, next)));
      const queued = new QueuedCall(this, call, priority, run, reject);
      this.#queue.join(queued);
      queued.begin(this.#waits);
    });
  }

  /** @internal */
  leave(queued: QueuedCall): void {
    this.#queue.leave(queued);
  }

  /** @internal */
  waitedInVain(ms: number): BulkheadFullException {
    return this.#full(`no slot came free within ${ms} ms`);
  }

  /** @internal */
  shutDown(): ShutdownException {
    const message = `${this.name} was waiting for a slot: the app is shutting down`;
    return new ShutdownException({ policy: 'bulkhead', instanceName: this.name, message });
  }

  #run(call: Call, next: Next): Promise<unknown> {
    const slot = new Slot(this, call, this.#abandonments);
    this.#active++;
    this.#adaptive?.began(call.instant(), this.#active);
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

  /**
   * @internal
   * @param afterMs the work was abandoned so long after its caller had gone; undefined: it has ended.
   */
  released(call: Call, afterMs: number | undefined): void {
    this.#active--;
    const { clock, events } = this.environment;
    if (afterMs !== undefined) {
      if (events.active) events.emit({ type: 'abandoned', name: this.name, policy: 'bulkhead', afterMs });
    } else if (call.startedAt !== undefined) {
      const ms = clock.now() - call.startedAt;
      this.#meanRunMs = this.#meanRunMs === 0 ? ms : this.#meanRunMs + MEAN_WEIGHT * (ms - this.#meanRunMs);
    }
    this.#admitSoon();
  }

  /**
   * The breaker around judges the call that has just ended before the next one begins: if it trips, nobody who waits
   * begins. Its judgement is {@link JUDGEMENT_TURNS} turns of the microtask queue away.
   */
  #admitSoon(): void {
    if (this.#admitting || this.#queue.size === 0) return;
    this.#admitting = true;
    this.#admitAfter(JUDGEMENT_TURNS);
  }

  #admitAfter(turns: number): void {
    if (turns > 0) return queueMicrotask(() => this.#admitAfter(turns - 1));
    this.#admitting = false;
    this.#admitNext();
  }

  #admitNext(): void {
    while (this.#active < this.limit || this.#options.mode === 'metricsOnly') {
      const { first } = this.#queue;
      if (first === undefined) return;
      first.admit();
    }
  }

  #priorityOf(call: Call): number {
    const { priority } = this.options;
    if (priority === undefined) return 0;
    return ask(this.environment, `${this.name}, priority`, rank, 0, () => priority(call));
  }

  /** A call whose turn cannot come before its time is over is better told at once. */
  #hopeless(call: Call, priority: number): BulkheadFullException | undefined {
    const { maxWait = Infinity } = this.options;
    const expected = (this.#queue.ahead(priority) * this.#meanRunMs) / this.limit;
    const allowed = Math.min(maxWait, call.deadline - this.environment.clock.now());
    if (expected <= allowed) return undefined;
    return this.#full(
      `a slot is expected in ${Math.round(expected)} ms, and the call can wait ${Math.round(allowed)} ms`,
      expected,
    );
  }

  #tellLimit(limit: number, before: number): void {
    const { events } = this.environment;
    if (events.active) events.emit({ type: 'limitChange', name: this.name, policy: 'bulkhead', limit, before });
  }

  #full(why: string, retryAfterMs?: number): BulkheadFullException {
    const { maxQueue, mode } = this.options;
    const maxConcurrent = this.limit;
    const details = { active: this.#active, maxConcurrent, waiting: this.#queue.size, maxQueue };
    const { events } = this.environment;
    if (events.active) {
      events.emit({
        type: 'refused',
        name: this.name,
        policy: 'bulkhead',
        code: 'BULKHEAD_FULL',
        retryAfterMs,
        details,
        ...(mode === 'metricsOnly' ? { metricsOnly: true } : {}),
      });
    }
    return new BulkheadFullException({
      policy: 'bulkhead',
      instanceName: this.name,
      message: `bulkhead ${this.name} is full: ${this.#active} of ${maxConcurrent} run; ${why}`,
      retryAfterMs,
      details,
    });
  }
}
