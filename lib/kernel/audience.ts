import type { Lifecycle, Running } from './policy.js';

export type AbortListener = (reason: unknown) => void;

/** Something that can be cut: by time, by its caller, at the end of a shutdown. */
export interface Abortable extends Running {
  readonly aborted: boolean;
  /** Why it was cut. */
  readonly reason: unknown;
  /** Whether its work goes on by itself. */
  readonly goesOn: boolean;
}

/**
 * Those who are told when something is cut. It is made when the first of them comes.
 *
 * The AbortSignal is made when somebody asks for it: an AbortController costs more than all policies together, and
 * most methods never look. A shutdown cuts only what somebody holds the signal of: nobody else could tell.
 */
export class Audience {
  #controller: AbortController | undefined = undefined;
  #listeners: Set<AbortListener> | undefined = undefined;
  #enlisted = false;

  constructor(
    private readonly of: Abortable,
    private readonly lifecycle: Lifecycle,
  ) {}

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.of.aborted) this.#controller.abort(this.of.reason);
      else if (this.of.goesOn) this.enlist();
    }
    return this.#controller.signal;
  }

  add(listener: AbortListener): void {
    (this.#listeners ??= new Set()).add(listener);
  }

  remove(listener: AbortListener): void {
    this.#listeners?.delete(listener);
  }

  /** Aborts the signal. */
  abort(reason: unknown): void {
    this.delist();
    this.#controller?.abort(reason);
  }

  /** Tells those who listen, once. */
  tell(reason: unknown): void {
    if (this.#listeners === undefined || this.#listeners.size === 0) return;
    const told = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of told) listener(reason);
  }

  /** The work of which the signal tells goes on by itself. */
  goOn(): void {
    if (this.#controller !== undefined && !this.of.aborted) this.enlist();
  }

  /** Lets the end of a shutdown cut it from now on. */
  enlist(): void {
    this.#enlisted = true;
    this.lifecycle.enlist(this.of);
  }

  /** It is over, or was cut. */
  delist(): void {
    if (!this.#enlisted) return;
    this.#enlisted = false;
    this.lifecycle.delist(this.of);
  }
}
