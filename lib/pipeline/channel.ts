interface Demand {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

/** Hands items over one at a time: the source is asked for one only when the consumer waits for it. */
export class Channel {
  /** Who gives the items now: the stream itself, its next attempt, or a substitute. */
  source: unknown = undefined;
  #demands: Demand[] = [];
  #wake: (() => void) | undefined = undefined;
  #cancelled = false;
  #onServed: (() => void) | undefined = undefined;
  #failure: { error: unknown } | undefined = undefined;

  /** A source begins, in place of the one before it. */
  open(source: unknown): void {
    this.source = source;
    this.#cancelled = false;
  }

  /** The consumer wants an item. */
  ask(): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      this.#demands.push({ resolve, reject });
      this.#wake?.();
    });
  }

  /** Whether the consumer waits for an item. */
  get wanted(): boolean {
    return this.#demands.length > 0;
  }

  /** Nobody will ask any more: runs `then` when what was asked for has been given. */
  abandon(then: () => void): void {
    if (this.wanted) this.#onServed = then;
    else then();
  }

  /** Settles when the consumer waits for an item: false if the source is to end instead. */
  demanded(): Promise<boolean> {
    if (!this.wanted) this.#onServed?.();
    if (this.#cancelled || this.wanted) return Promise.resolve(!this.#cancelled);
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve(!this.#cancelled);
      };
    });
  }

  /** Ends the wait of the source. */
  cancel(): void {
    this.#cancelled = true;
    this.#wake?.();
  }

  deliver(value: unknown): void {
    this.#demands.shift()?.resolve({ done: false, value });
  }

  /** No more items. */
  end(): void {
    for (const demand of this.#demands.splice(0)) demand.resolve({ done: true, value: undefined });
  }

  /** The error is for the item that is waited for, or for the next that will be; behind it there are none. */
  fail(error: unknown): void {
    const demand = this.#demands.shift();
    if (demand === undefined) this.#failure = { error };
    else demand.reject(error);
    this.end();
  }

  /** An error that came while nobody waited; it is given once. */
  takeFailure(): { error: unknown } | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }
}
