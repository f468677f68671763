import { Handover } from './handover.js';
import type { Line, QueuedCall } from './queued-call.js';
import { WaitingLine } from './waiting-line.js';

/**
 * The slot of a call that meets its own bulkhead inside itself. It would wait for itself, so its slot is lent, to one
 * inner call at a time; the others wait for their turn on it.
 */
export class Loans implements Line {
  readonly calls = new WaitingLine<QueuedCall>();
  freedAt = -Infinity;
  #out = false;
  readonly #handover = new Handover(() => this.#lendOn());

  /** @param onEnd told when the slot is back, and nobody waits for it. */
  constructor(private readonly onEnd: () => void) {}

  /** Whether an inner call has the slot. */
  get out(): boolean {
    return this.#out;
  }

  /** Whether the slot is with its own call, and nobody waits for it. */
  get none(): boolean {
    return !this.#out && this.calls.size === 0;
  }

  lend(): void {
    this.#out = true;
  }

  giveBack(now: number): void {
    this.#out = false;
    this.freedAt = now;
    if (this.calls.size > 0) this.#handover.soon();
    else this.onEnd();
  }

  #lendOn(): void {
    if (this.#out) return;
    const { first } = this.calls;
    if (first === undefined) this.onEnd();
    else first.admit();
  }
}
