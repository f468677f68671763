import type { Call } from './call.js';
import { Deadline } from './deadline-queue.js';
import type { Lifecycle, Waiter } from './policy.js';

/**
 * A call that waits inside a policy, until its turn comes or something ends the wait: its own limit, its caller, the
 * breaker that let it in, the shutdown of the app. It is known to all of them for exactly as long as it waits, also when
 * one of them ends the wait while it begins.
 */
export abstract class Wait extends Deadline implements Waiter {
  #over = false;

  constructor(
    protected readonly call: Call,
    private readonly lifecycle: Lifecycle,
    private readonly onCut: (error: unknown) => void,
  ) {
    super();
  }

  begin(): void {
    this.join();
    this.call.waitingRoom?.enter(this.call);
    this.lifecycle.add(this);
    // What has cut the call meanwhile, a callback of the user's, say, ends the wait here and now.
    if (!this.#over) this.call.onAbort(this.cut);
  }

  /** Ends the wait with an error. */
  readonly cut = (reason: unknown): void => {
    if (this.over()) this.onCut(reason);
  };

  end(): void {
    this.cut(this.shutDownError());
  }

  /** Ends the wait. Returns false if it was over already. */
  protected over(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.quit();
    this.call.offAbort(this.cut);
    this.call.waitingRoom?.leave(this.call);
    this.lifecycle.remove(this);
    return true;
  }

  /** Takes its place among those who wait. */
  protected abstract join(): void;
  /** Leaves it. */
  protected abstract quit(): void;
  protected abstract shutDownError(): Error;
}
