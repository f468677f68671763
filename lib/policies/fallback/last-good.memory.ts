import { keptKey } from '../../kernel/key-of.js';

/** An answer, and when it was given, epoch ms. */
export interface LastAnswer {
  readonly value: unknown;
  readonly at: number;
}

/** So many keys are remembered, those that were used last. */
export const MOST_ANSWERS = 10_000;

/** The last answers by key, bounded: the one that was used least lately goes first. */
export class LastGoodMemory {
  /** In the order of use. */
  readonly #answers = new Map<string, LastAnswer>();
  /**
   * Comes to each key once, the oldest first: what it has passed is gone. One that began anew each time would step over all
   * that has gone since the map was last put in order.
   */
  readonly #oldest = this.#answers.keys();

  get size(): number {
    return this.#answers.size;
  }

  get(key: string): LastAnswer | undefined {
    const known = this.#answers.get(key);
    if (known !== undefined && this.#answers.delete(key)) this.#answers.set(keptKey(key), known);
    return known;
  }

  put(key: string, answer: LastAnswer): void {
    this.#answers.delete(key);
    this.#answers.set(keptKey(key), answer);
    if (this.#answers.size > MOST_ANSWERS) this.#answers.delete(this.#oldest.next().value as string);
  }
}
