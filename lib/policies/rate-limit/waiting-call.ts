import type { Call } from '../call.js';
import type { Lifecycle, Waiter } from '../policy.js';
import type { Bucket } from './bucket.js';
import type { Refusals } from './refusals.js';
import type { InLine, WaitingLines } from './waiting-lines.js';

/** What a call waits for, and how long it can. */
export interface Wait {
  readonly bucket: Bucket;
  readonly cost: number;
  /** When it came. */
  readonly since: number;
  /** How long any call may wait, ms. */
  readonly boundMs: number;
  /** The latest moment at which this one may begin. */
  readonly latest: number;
}

/** Where a waiting call is known. */
export interface WaitingPlaces {
  readonly lines: WaitingLines;
  readonly refusals: Refusals;
  readonly lifecycle: Lifecycle;
}

/** A call in line, until its turn comes, it comes too late, or the call is cut. */
export class WaitingCall implements InLine, Waiter {
  readonly bucket: Bucket;
  readonly cost: number;
  readonly latest: number;
  #onTurn!: () => void;
  #onCut!: (error: unknown) => void;

  constructor(
    private readonly call: Call,
    private readonly wait: Wait,
    private readonly places: WaitingPlaces,
  ) {
    this.bucket = wait.bucket;
    this.cost = wait.cost;
    this.latest = wait.latest;
  }

  /** Its turn; rejects when there will be none. */
  turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onTurn = resolve;
      this.#onCut = reject;
      this.places.lines.join(this);
      this.call.waitingRoom?.enter(this.call);
      this.places.lifecycle.add(this);
      this.call.onAbort(this.#cut);
    });
  }

  admit(): void {
    this.#leave();
    this.call.waited();
    this.#onTurn();
  }

  expire(turnAt: number, now: number): void {
    const { since, boundMs } = this.wait;
    this.#cut(this.places.refusals.tooLate(this, turnAt - since, turnAt - now, boundMs));
  }

  end(): void {
    this.#cut(this.places.refusals.shutDown());
  }

  readonly #cut = (reason: unknown): void => {
    this.#leave();
    this.#onCut(reason);
  };

  #leave(): void {
    this.places.lines.leave(this);
    this.call.offAbort(this.#cut);
    this.call.waitingRoom?.leave(this.call);
    this.places.lifecycle.remove(this);
  }
}
