import { propertyOf } from '../errors/foreign.js';
import type { AbortListener } from './audience.js';

const ONCE = { once: true } as const;

/**
 * The calls that one signal cuts. A caller may pass the same signal to many calls at once (that of its own request, of
 * a shutdown): one listener serves them all, so that Node has no reason to warn of a leak.
 */
class Followers {
  readonly #listeners = new Set<AbortListener>();

  constructor(private readonly signal: AbortSignal) {
    this.#listen('addEventListener');
  }

  add(listener: AbortListener): void {
    this.#listeners.add(listener);
  }

  remove(listener: AbortListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#listen('removeEventListener');
    if (followers.get(this.signal) === this) followers.delete(this.signal);
  }

  /** A signal of a class of its own may refuse: then it cuts nothing. */
  #listen(how: 'addEventListener' | 'removeEventListener'): void {
    try {
      this.signal[how]('abort', this.#onAbort, ONCE);
    } catch {
      // The call goes on as without a signal.
    }
  }

  readonly #onAbort = (): void => {
    const reason = reasonOf(this.signal);
    for (const listener of [...this.#listeners]) listener(reason);
  };
}

const followers = new WeakMap<AbortSignal, Followers>();

/** Whether a caller has left already. */
export function hasAborted(signal: AbortSignal | undefined): signal is AbortSignal {
  return propertyOf(signal, 'aborted') === true;
}

/** Why it was aborted. Signals of old polyfills do not say. */
export function reasonOf(signal: AbortSignal): unknown {
  const reason = propertyOf(signal, 'reason');
  return reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
}

/** @returns a function that lets go of the signal. */
export function followSignal(signal: AbortSignal, listener: AbortListener): () => void {
  let shared = followers.get(signal);
  if (shared === undefined) followers.set(signal, (shared = new Followers(signal)));
  shared.add(listener);
  return () => shared.remove(listener);
}
