/** So many are remembered: more than anybody sends while an answer is under way. */
const MOST = 10_000;

/** The ids of the actions that were taken, so that none is taken twice. */
export class SeenIds {
  readonly #ids = new Set<string>();

  has(id: string): boolean {
    return this.#ids.has(id.toLowerCase());
  }

  add(id: string): void {
    this.#ids.add(id.toLowerCase());
    if (this.#ids.size <= MOST) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }
}
