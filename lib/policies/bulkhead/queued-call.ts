import type { Call } from '../call.js';
import { Deadline, type DeadlineQueue } from '../deadline-queue.js';
import type { PolicyEnvironment, Waiter } from '../policy.js';
import type { Place } from './waiting-line.js';

/** What a waiting call knows of its bulkhead. */
interface Queue {
  readonly environment: PolicyEnvironment;
  leave(queued: QueuedCall): void;
  waitedInVain(ms: number): Error;
  shutDown(): Error;
}

/** A call that waits for its turn, until it comes, the wait gets too long, or the call is cut. */
export class QueuedCall extends Deadline implements Waiter, Place {
  /** @internal */ node: Place['node'] = undefined;
  #waits: DeadlineQueue | undefined;

  constructor(
    private readonly bulkhead: Queue,
    private readonly call: Call,
    readonly priority: number,
    private readonly onTurn: () => void,
    private readonly onCut: (error: unknown) => void,
  ) {
    super();
  }

  begin(waits: DeadlineQueue | undefined): void {
    const { clock, lifecycle } = this.bulkhead.environment;
    this.#waits = waits;
    waits?.add(this, clock.now());
    this.call.onAbort(this.cut);
    this.call.waitingRoom?.enter(this.call);
    lifecycle.add(this);
  }

  admit(): void {
    this.#leave();
    this.call.waited();
    this.onTurn();
  }

  expire(): void {
    this.cut(this.bulkhead.waitedInVain(this.#waits?.ms ?? 0));
  }

  end(): void {
    this.cut(this.bulkhead.shutDown());
  }

  /** Ends the wait with an error. */
  readonly cut = (reason: unknown): void => {
    this.#leave();
    this.onCut(reason);
  };

  #leave(): void {
    this.bulkhead.leave(this);
    this.#waits?.remove(this);
    this.call.offAbort(this.cut);
    this.call.waitingRoom?.leave(this.call);
    this.bulkhead.environment.lifecycle.remove(this);
  }
}
