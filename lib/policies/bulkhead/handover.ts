/**
 * An error is on its way to the breaker for so many turns at most: through our own promise, that of a call which has
 * waited here, a time limit and a rate limit with a queue there are six.
 */
const JUDGEMENT_TURNS = 8;

/**
 * Lets a breaker judge the call that has just ended before the next one begins: if it trips, nobody who waits begins.
 * Its judgement is {@link JUDGEMENT_TURNS} turns of the microtask queue away.
 */
export class Handover {
  #pending = false;

  constructor(private readonly admit: () => void) {}

  soon(): void {
    if (this.#pending) return;
    this.#pending = true;
    this.#after(JUDGEMENT_TURNS);
  }

  #after(turns: number): void {
    if (turns > 0) return queueMicrotask(() => this.#after(turns - 1));
    this.#pending = false;
    this.admit();
  }
}
