import type { Attempt } from './attempt.js';
import type { Failure } from './outcome/failure.js';
import type { Wait } from './wait.js';

/** An attempt may not begin. */
export interface Refusal {
  readonly waits: false;
  readonly error: unknown;
}

/** What a guard says of an attempt: it is in, may not begin, or has to wait. */
export type Admission = undefined | Refusal | Wait;

export function refused(error: unknown): Refusal {
  return { waits: false, error };
}

/**
 * Stands between an attempt and its method. Attempts are admitted from the outermost guard to the innermost, and settled
 * in the other direction, all of it in one synchronous pass; those that have settled an attempt then release it.
 *
 * A guard may be shared by many attempts at once, so what belongs to one is noted on the attempt, and only after it was
 * taken: `settled` and `released` give back what is noted, and nothing else.
 */
export abstract class Guard {
  /** Whether it may hold something until the work has ended, and not only until the attempt is settled. */
  get holds(): boolean {
    return true;
  }

  abstract admit(attempt: Attempt): Admission;

  /**
   * The attempt has ended for its caller; its work may go on.
   *
   * @param value what it gave, if it has not failed.
   */
  settled(_attempt: Attempt, _value: unknown, _failure: Failure | undefined): void {}

  /**
   * Its work has ended as well. A guard that holds nothing is asked only after a `settled` that threw.
   *
   * @param failure what the work ended with, if that was an error.
   */
  released(_attempt: Attempt, _failure: Failure | undefined): void {}

  /** The next item of its stream is wanted. */
  wanted(_attempt: Attempt): void {}

  /** An item of its stream has come. */
  item(_attempt: Attempt): void {}

  /** Nobody asks for the next item of its stream. */
  parked(_attempt: Attempt): void {}
}
