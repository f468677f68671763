import type { Leadership } from './leadership.js';
import { LeadershipLostError } from './leadership.js';

/** A time of leadership without a break. */
export class Term {
  readonly #over = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(
    readonly leaderOf: string,
    readonly leadership: Leadership,
  ) {}

  /** Aborts when it is over. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Runs what only the leader does, and knows it until it has ended. */
  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const running = work(this.signal);
    this.#running.add(running);
    const ended = (): void => void this.#running.delete(running);
    running.then(ended, ended);
    return running;
  }

  end(why: string): void {
    this.#over.abort(new LeadershipLostError(this.leaderOf, why));
  }

  /** Resolves when nothing of it runs any more. */
  async rest(): Promise<void> {
    await Promise.allSettled(this.#running);
  }
}
