import type { Attempt } from '../../lib/kernel/attempt.js';
import { Guard, refused, type Admission } from '../../lib/kernel/guard.js';
import type { Failure } from '../../lib/kernel/outcome/failure.js';
import { Wait } from '../../lib/kernel/wait.js';

/** Lets attempts wait until it is opened. */
export class Gate extends Guard {
  readonly #turns = new Set<Turn>();
  /** How often a turn was passed on, since its attempt was cut before it went on. */
  passedOn = 0;

  admit(attempt: Attempt): Admission {
    return new Turn(attempt, this.#turns, () => this.passedOn++);
  }

  get waiting(): number {
    return this.#turns.size;
  }

  /** Gives their turn to all that wait now. */
  open(): void {
    for (const turn of [...this.#turns]) turn.grant();
  }
}

class Turn extends Wait {
  constructor(
    attempt: Attempt,
    private readonly turns: Set<Turn>,
    protected override readonly passOn: () => void,
  ) {
    super(attempt, attempt.course.target.lifecycle);
  }

  expire(): void {
    // Nothing bounds it.
  }

  protected join(): void {
    this.turns.add(this);
  }

  protected quit(): void {
    this.turns.delete(this);
  }

  protected shutDownError(): Error {
    return new Error('shut down');
  }
}

/** Turns away what `error` names an error for. */
export class Bouncer extends Guard {
  constructor(private readonly error: (attempt: Attempt) => unknown) {
    super();
  }

  admit(attempt: Attempt): Admission {
    const error = this.error(attempt);
    return error === undefined ? undefined : refused(error);
  }
}

/** Notes how attempts end for their callers. */
export class Told extends Guard {
  constructor(private readonly told: unknown[]) {
    super();
  }

  admit(): undefined {
    // All may pass.
  }

  override settled(_: Attempt, value: unknown, failure: Failure | undefined): void {
    this.told.push(failure === undefined ? ['succeeded', value] : ['failed', failure.error]);
  }
}
