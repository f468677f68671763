/** Runs work on one key in the order in which it came; different keys do not wait for each other. */
export class KeyTurns {
  readonly #last = new Map<string, Promise<void>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    let end = (): void => {};
    const turn = new Promise<void>((resolve) => (end = resolve));
    this.#last.set(key, turn);
    try {
      if (before !== undefined) await before;
      return await work();
    } finally {
      end();
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}
