import { propertyOf } from '../errors/foreign.js';
import type { AbortListener } from '../policies/call.js';

/**
 * The calls that one signal cuts. A caller may pass the same signal to many calls at once (that of its own request, of
 * a shutdown): one listener serves them all, so that Node has no reason to warn of a leak.
 */
class Followers {
  readonly #listeners = new Set<AbortListener>();

  constructor(private readonly signal: AbortSignal) {
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  add(listener: AbortListener): void {
    this.#listeners.add(listener);
  }

  remove(listener: AbortListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.signal.removeEventListener('abort', this.#onAbort);
    if (followers.get(this.signal) === this) followers.delete(this.signal);
  }

  readonly #onAbort = (): void => {
    const reason = propertyOf(this.signal, 'reason');
    for (const listener of [...this.#listeners]) listener(reason);
  };
}

const followers = new WeakMap<AbortSignal, Followers>();

/** @returns a function that lets go of the signal. */
export function followSignal(signal: AbortSignal, listener: AbortListener): () => void {
  let shared = followers.get(signal);
  if (shared === undefined) followers.set(signal, (shared = new Followers(signal)));
  shared.add(listener);
  return () => shared.remove(listener);
}
