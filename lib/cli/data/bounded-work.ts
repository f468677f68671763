/** Runs work side by side, so much at a time. One caller begins it all. */
export class BoundedWork {
  #running = 0;
  #failure: { readonly error: unknown } | undefined;
  #onEnd: (() => void) | undefined;

  constructor(private readonly limit: number) {}

  /**
   * Waits for room and begins.
   *
   * @throws what earlier work has failed with; nothing more is begun then.
   */
  async begin(work: () => Promise<unknown>): Promise<void> {
    while (this.#running >= this.limit) await this.#nextEnd();
    this.#throwFailure();
    this.#running += 1;
    void work()
      .catch((error: unknown) => (this.#failure ??= { error }))
      .finally(() => {
        this.#running -= 1;
        this.#onEnd?.();
      });
  }

  /** Resolves when nothing runs any more, whatever has become of it. */
  async settled(): Promise<void> {
    while (this.#running > 0) await this.#nextEnd();
  }

  /** Waits for all that was begun. @throws what the first to fail has failed with. */
  async end(): Promise<void> {
    await this.settled();
    this.#throwFailure();
  }

  #nextEnd(): Promise<void> {
    return new Promise((resolve) => (this.#onEnd = resolve));
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
