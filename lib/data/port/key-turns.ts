import { abortable } from './abortable.js';

/** Changes of one key one after the other, in the order in which they were asked for; those of others meanwhile. */
export class KeyTurns {
  /** What the next change of a key waits for. */
  readonly #last = new Map<string, Promise<void>>();

  async run<T>(key: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const turn = this.#take(before, signal, work);
    const over = turn.then(forget, forget).then(() => before);
    this.#last.set(key, over);
    void over.then(() => {
      if (this.#last.get(key) === over) this.#last.delete(key);
    });
    return turn;
  }

  async #take<T>(
    before: Promise<void> | undefined,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    if (before !== undefined) await abortable(before, signal);
    signal?.throwIfAborted();
    return work();
  }
}

/** The next change only needs to know that this one is over. */
function forget(): void {}
