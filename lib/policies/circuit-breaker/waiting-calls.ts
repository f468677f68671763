import type { Call } from '../../kernel/call.js';

/** The calls that wait for a slot or a turn under one breaker. */
export class WaitingCalls {
  readonly #calls = new Set<Call>();

  enter(call: Call): void {
    this.#calls.add(call);
  }

  leave(call: Call): void {
    this.#calls.delete(call);
  }

  /** Ends every wait, each with an error of its own. */
  end(refuse: () => Error): void {
    for (const call of [...this.#calls]) call.abort(refuse());
  }
}
