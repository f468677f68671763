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
  readonly #answers = new Map<string, LastAnswer>();

  get size(): number {
    return this.#answers.size;
  }

  get(key: string): LastAnswer | undefined {
    const known = this.#answers.get(key);
    // The order of the map is the order of use.
    if (known !== undefined && this.#answers.delete(key)) this.#answers.set(keptKey(key), known);
    return known;
  }

  put(key: string, answer: LastAnswer): void {
    this.#answers.delete(key);
    this.#answers.set(keptKey(key), answer);
    if (this.#answers.size <= MOST_ANSWERS) return;
    for (const oldest of this.#answers.keys()) {
      this.#answers.delete(oldest);
      return;
    }
  }
}
