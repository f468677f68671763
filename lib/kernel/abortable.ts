import { Deadline } from './deadline-queue.js';
import type { Lifecycle, Running } from './policy.js';
import { cutByShutdown } from './shut-down.js';

export type AbortListener = (reason: unknown) => void;

/** What only few calls have. */
interface Ears {
  controller: AbortController | undefined;
  readonly listeners: Set<AbortListener>;
  enlisted: boolean;
}

/**
 * Something that can be cut: by time, by its caller, at the end of a shutdown.
 *
 * Its AbortSignal is made when somebody asks for it: an AbortController costs more than all policies together, and
 * most methods never look. A shutdown cuts only what somebody holds the signal of: nobody else could tell.
 */
export abstract class Abortable extends Deadline implements Running {
  abstract readonly className: string;
  abstract readonly methodName: string;
  aborted = false;
  /** Why it was cut. */
  reason: unknown = undefined;
  /** Whether its work goes on. */
  running = false;
  #ears: Ears | undefined = undefined;

  /** That of the app. */
  protected abstract readonly lifecycle: Lifecycle;

  get signal(): AbortSignal {
    const ears = this.#hear();
    if (ears.controller === undefined) {
      ears.controller = new AbortController();
      if (this.aborted) ears.controller.abort(this.reason);
      else if (this.running) this.enlist();
    }
    return ears.controller.signal;
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const ears = this.#ears;
    if (ears !== undefined) {
      this.delist();
      ears.controller?.abort(reason);
    }
    this.stop(reason);
  }

  shutDown(): void {
    this.abort(cutByShutdown(this));
  }

  onAbort(listener: AbortListener): void {
    if (this.aborted) listener(this.reason);
    else this.#hear().listeners.add(listener);
  }

  offAbort(listener: AbortListener): void {
    this.#ears?.listeners.delete(listener);
  }

  /** Its work begins. */
  work(): void {
    this.running = true;
    if (this.#ears?.controller !== undefined && !this.aborted) this.enlist();
  }

  /** Its work has ended. */
  rest(): void {
    this.running = false;
    if (this.#ears !== undefined) this.delist();
  }

  /** Lets the end of a shutdown cut it from now on. */
  enlist(): void {
    this.#hear().enlisted = true;
    this.lifecycle.enlist(this);
  }

  /** It is over, or was cut. */
  delist(): void {
    const ears = this.#ears;
    if (ears?.enlisted !== true) return;
    ears.enlisted = false;
    this.lifecycle.delist(this);
  }

  /** What a cut ends, once its signal has told. */
  protected stop(reason: unknown): void {
    this.tell(reason);
  }

  /** Tells those who listen, once. */
  protected tell(reason: unknown): void {
    const listeners = this.#ears?.listeners;
    if (listeners === undefined || listeners.size === 0) return;
    const told = [...listeners];
    listeners.clear();
    for (const listener of told) listener(reason);
  }

  #hear(): Ears {
    return (this.#ears ??= { controller: undefined, listeners: new Set(), enlisted: false });
  }
}
