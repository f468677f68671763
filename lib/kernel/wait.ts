import { instanceOf } from '../errors/foreign.js';
import type { WaitEnded } from '../events/call-listener.js';
import { Attempt } from './attempt.js';
import type { Call } from './call.js';
import { Deadline } from './deadline-queue.js';
import { observationOf } from './observation-of.js';
import type { Lifecycle, Waiter } from './policy.js';

/**
 * An attempt that waits inside a guard, or a call between two attempts, until its turn comes or something ends the wait:
 * its own limit, its caller, the breaker that let it in, the shutdown of the app. It is known to all of them until it
 * goes on, also when one of them ends the wait while it begins.
 *
 * Between its turn and its going on lies a turn of the microtask queue, by which it comes back into the async context of
 * its own caller. What it waited for is its own by then; one that is cut in between passes it on.
 */
export abstract class Wait extends Deadline implements Waiter {
  readonly waits = true;
  /** What waits inside a guard; undefined: a call waits, between two attempts. */
  readonly #attempt: Attempt | undefined;
  #over = false;
  #granted = false;
  #goOn: (() => void) | undefined = undefined;
  #onCut: ((error: unknown) => void) | undefined = undefined;
  /** Tells who observes the call that the wait is over. */
  #told: ((granted: boolean) => void) | undefined = undefined;

  constructor(
    private readonly waiting: Attempt | Call,
    private readonly lifecycle: Lifecycle,
  ) {
    super();
    this.#attempt = instanceOf(waiting, Attempt) ? waiting : undefined;
  }

  /** @param onCut told why the wait was ended before the turn came. */
  begin(onTurn: () => void, onCut: (error: unknown) => void): void {
    this.#onCut = onCut;
    void new Promise<void>((resolve) => (this.#goOn = resolve)).then(() => {
      if (this.#end(true)) onTurn();
    });
    const attempt = this.#attempt;
    if (attempt !== undefined && this.inside !== undefined) this.#told = observationOf(attempt)?.waits(this.inside);
    try {
      this.join();
      attempt?.room?.enter(attempt);
    } catch (fault) {
      this.cut(fault);
    }
    if (!this.#over) this.lifecycle.add(this);
    // What has cut it meanwhile, a callback of the user's, say, ends the wait here and now.
    if (!this.#over) this.waiting.onAbort(this.cut);
  }

  /** Its turn has come, and what it waited for is its own. Returns false if it does not go on. */
  grant(): boolean {
    if (this.#over || this.#granted) return false;
    try {
      this.quit();
    } catch (fault) {
      this.cut(fault);
      return false;
    }
    this.#granted = true;
    this.#goOn?.();
    return true;
  }

  /** Ends the wait with an error. */
  readonly cut = (reason: unknown): void => {
    if (!this.#end(false)) return;
    let error = reason;
    try {
      if (this.#granted) this.passOn();
      else this.quit();
    } catch (fault) {
      error = fault;
    }
    this.#onCut?.(error);
  };

  end(): void {
    this.cut(this.shutDownError());
  }

  /** Lets go of all that could end it. Returns false if it was over already. */
  #end(granted: boolean): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.waiting.offAbort(this.cut);
    this.#attempt?.room?.leave(this.#attempt);
    this.lifecycle.remove(this);
    this.#told?.(granted);
    return true;
  }

  /** The instance of a policy that lets an attempt wait; undefined: it is none. */
  protected get inside(): Pick<WaitEnded, 'name' | 'policy'> | undefined {
    return undefined;
  }

  /** Takes its place among those who wait. */
  protected abstract join(): void;
  /** Leaves it. */
  protected abstract quit(): void;
  /** Gives on what it was granted. */
  protected abstract passOn(): void;
  protected abstract shutDownError(): Error;
}
