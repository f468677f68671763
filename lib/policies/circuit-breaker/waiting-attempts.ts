import type { Attempt } from '../../kernel/attempt.js';

/** The attempts that wait for a slot or a turn under one breaker. */
export class WaitingAttempts {
  readonly #attempts = new Set<Attempt>();

  enter(attempt: Attempt): void {
    this.#attempts.add(attempt);
  }

  leave(attempt: Attempt): void {
    this.#attempts.delete(attempt);
  }

  /** Ends every wait, each with an error of its own. */
  end(refuse: () => Error): void {
    for (const attempt of [...this.#attempts]) attempt.abort(refuse());
  }
}
