import { BulkheadFullException } from '../../errors/bulkhead-full.exception.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import type { Call, Next } from '../call.js';
import { Deadline, DeadlineQueue } from '../deadline-queue.js';
import type { Policy, PolicyEnvironment, Waiter } from '../policy.js';
import type { ResolvedBulkhead } from './bulkhead.options.js';

/** The weight of the newest run in the mean run time. */
const MEAN_WEIGHT = 0.1;

/**
 * Lets a fixed number of calls run at once; a bounded number waits, first come first served. A slot is free again when
 * the work has really ended, also when its caller has long gone.
 */
export class BulkheadPolicy implements Policy {
  #active = 0;
  #meanRunMs = 0;
  #admitting = false;
  readonly #queue = new Set<QueuedCall>();
  readonly #waits: DeadlineQueue | undefined;
  readonly #abandonments: DeadlineQueue | undefined;

  constructor(
    readonly name: string,
    /** @internal */ readonly options: ResolvedBulkhead,
    /** @internal */ readonly environment: PolicyEnvironment,
  ) {
    const { clock, lifecycle } = environment;
    const { maxWait, abandonAfter } = options;
    this.#waits = maxWait === undefined ? undefined : new DeadlineQueue(maxWait, clock, lifecycle);
    this.#abandonments = abandonAfter === false ? undefined : new DeadlineQueue(abandonAfter, clock, lifecycle, false);
  }

  /** How many calls hold a slot. */
  get active(): number {
    return this.#active;
  }

  /** How many calls wait for one. */
  get waiting(): number {
    return this.#queue.size;
  }

  execute(call: Call, next: Next): Promise<unknown> {
    if (call.aborted) return Promise.reject(call.reason);
    const { maxConcurrent, maxQueue } = this.options;
    if (this.#active < maxConcurrent && this.#queue.size === 0) return this.#run(call, next);
    if (this.environment.lifecycle.closing) return Promise.reject(this.shutDown());
    if (call.probe) return Promise.reject(this.#full('a probe of a half-open breaker does not wait'));
    if (this.#queue.size >= maxQueue)
      return Promise.reject(this.#full(`${this.#queue.size} wait already, limit ${maxQueue}`));
    const hopeless = this.#hopeless(call);
    if (hopeless !== undefined) return Promise.reject(hopeless);
    return new Promise((resolve, reject) => {
      const queued = new QueuedCall(this, call, () => resolve(this.#run(call, next)), reject);
      this.#queue.add(queued);
      queued.begin(this.#waits);
    });
  }

  /** @internal */
  leave(queued: QueuedCall): void {
    this.#queue.delete(queued);
  }

  /** @internal */
  waitedInVain(): BulkheadFullException {
    return this.#full(`no slot came free within ${this.options.maxWait} ms`);
  }

  /** @internal */
  shutDown(): ShutdownException {
    const message = `${this.name} was waiting for a slot: the app is shutting down`;
    return new ShutdownException({ policy: 'bulkhead', instanceName: this.name, message });
  }

  #run(call: Call, next: Next): Promise<unknown> {
    const slot = new Slot(this.#abandonments, call, this.environment.clock, (abandoned) =>
      this.#release(call, abandoned),
    );
    this.#active++;
    const work = next(call);
    work.then(slot.free, slot.free);
    return work;
  }

  #release(call: Call, abandoned: boolean): void {
    this.#active--;
    const { clock, events } = this.environment;
    if (abandoned) {
      const afterMs = this.options.abandonAfter as number;
      if (events.active) events.emit({ type: 'abandoned', name: this.name, policy: 'bulkhead', afterMs });
    } else if (call.startedAt !== undefined) {
      const ms = clock.now() - call.startedAt;
      this.#meanRunMs = this.#meanRunMs === 0 ? ms : this.#meanRunMs + MEAN_WEIGHT * (ms - this.#meanRunMs);
    }
    this.#admitSoon();
  }

  /**
   * The breaker around judges the call that has just ended before the next one begins: if it trips, nobody who waits
   * begins. Its judgement is two turns of the microtask queue away.
   */
  #admitSoon(): void {
    if (this.#admitting || this.#queue.size === 0) return;
    this.#admitting = true;
    queueMicrotask(() =>
      queueMicrotask(() => {
        this.#admitting = false;
        this.#admitNext();
      }),
    );
  }

  #admitNext(): void {
    while (this.#active < this.options.maxConcurrent) {
      const [first] = this.#queue;
      if (first === undefined) return;
      first.admit();
    }
  }

  /** A call whose turn cannot come before its time is over is better told at once. */
  #hopeless(call: Call): BulkheadFullException | undefined {
    const { maxConcurrent, maxWait = Infinity } = this.options;
    const expected = (this.#queue.size * this.#meanRunMs) / maxConcurrent;
    const allowed = Math.min(maxWait, call.deadline - this.environment.clock.now());
    if (expected <= allowed) return undefined;
    return this.#full(
      `a slot is expected in ${Math.round(expected)} ms, and the call can wait ${Math.round(allowed)} ms`,
      expected,
    );
  }

  #full(why: string, retryAfterMs?: number): BulkheadFullException {
    const { maxConcurrent, maxQueue } = this.options;
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

/** A call that waits for its turn, until it comes, the wait gets too long, or the call is cut. */
class QueuedCall extends Deadline implements Waiter {
  #waits: DeadlineQueue | undefined;

  constructor(
    private readonly bulkhead: BulkheadPolicy,
    private readonly call: Call,
    private readonly onTurn: () => void,
    private readonly onCut: (error: unknown) => void,
  ) {
    super();
  }

  begin(waits: DeadlineQueue | undefined): void {
    const { clock, lifecycle } = this.bulkhead.environment;
    this.#waits = waits;
    waits?.add(this, clock.now());
    this.call.onAbort(this.#cut);
    this.call.waitingRoom?.enter(this.call);
    lifecycle.add(this);
  }

  admit(): void {
    this.#leave();
    this.call.waited();
    this.onTurn();
  }

  expire(): void {
    this.#cut(this.bulkhead.waitedInVain());
  }

  end(): void {
    this.#cut(this.bulkhead.shutDown());
  }

  readonly #cut = (reason: unknown): void => {
    this.#leave();
    this.onCut(reason);
  };

  #leave(): void {
    this.bulkhead.leave(this);
    this.#waits?.remove(this);
    this.call.offAbort(this.#cut);
    this.call.waitingRoom?.leave(this.call);
    this.bulkhead.environment.lifecycle.remove(this);
  }
}

/** A slot in use. When the call is cut, a last limit begins for the work that goes on. */
class Slot extends Deadline {
  #held = true;

  constructor(
    private readonly abandonments: DeadlineQueue | undefined,
    private readonly call: Call,
    private readonly clock: { now(): number },
    private readonly onFree: (abandoned: boolean) => void,
  ) {
    super();
    if (abandonments !== undefined) call.onAbort(this.#onCut);
  }

  readonly free = (): void => this.#free(false);

  expire(): void {
    this.#free(true);
  }

  readonly #onCut = (): void => this.abandonments?.add(this, this.clock.now());

  #free(abandoned: boolean): void {
    if (!this.#held) return;
    this.#held = false;
    this.abandonments?.remove(this);
    this.call.offAbort(this.#onCut);
    this.onFree(abandoned);
  }
}
