import type { Line, QueuedAttempt } from './queued-attempt.js';
import { WaitingLine } from './waiting-line.js';

/**
 * The slot of an attempt that meets its own bulkhead inside itself. It would wait for itself, so its slot is lent, to one
 * inner attempt at a time; the others wait for their turn on it.
 */
export class Loans implements Line {
  readonly calls = new WaitingLine<QueuedAttempt>();
  freedAt = -Infinity;
  #out = false;

  /** @param onEnd told when the slot is back, and nobody waits for it. */
  constructor(private readonly onEnd: () => void) {}

  /** Whether an inner attempt has the slot. */
  get out(): boolean {
    return this.#out;
  }

  /** Whether the slot is with its own attempt, and nobody waits for it. */
  get none(): boolean {
    return !this.#out && this.calls.size === 0;
  }

  lend(): void {
    this.#out = true;
  }

  giveBack(now: number): void {
    this.#out = false;
    this.freedAt = now;
    const { first } = this.calls;
    if (first === undefined) this.onEnd();
    else first.admit();
  }
}
