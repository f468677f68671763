import type { Attempt } from './attempt.js';
import { refused, type Admission, type Guard } from './guard.js';
import type { Failure } from './outcome/failure.js';

/** Something that threw where nothing may. */
export interface Fault {
  readonly error: unknown;
}

/**
 * The guards of a method, outermost first. Whatever one of them throws, the others are asked and told all the same, and
 * what was taken is given back.
 */
export class Guards {
  /** Whether one of them holds something until the work has ended. */
  private readonly hold: boolean;

  constructor(private readonly all: readonly Guard[]) {
    this.hold = all.some(({ holds }) => holds);
  }

  /** Asks the guards from `from` on. */
  admit(attempt: Attempt, from: number): Admission {
    const guards = this.all;
    try {
      for (let index = from; index < guards.length; index++) {
        attempt.admitted = index + 1;
        const admission = (guards[index] as Guard).admit(attempt);
        if (admission === undefined) continue;
        attempt.admitted = index;
        return admission;
      }
    } catch (fault) {
      return refused(fault);
    }
    return undefined;
  }

  /** Exactly those that have let it in are told, the innermost first. */
  settle(attempt: Attempt, value: unknown, failure: Failure | undefined): Fault | undefined {
    attempt.settle();
    let fault: Fault | undefined;
    for (let index = attempt.admitted - 1; index >= 0; index--) {
      try {
        (this.all[index] as Guard).settled(attempt, value, failure);
      } catch (error) {
        fault ??= { error };
        attempt.rarely().faulty = true;
      }
    }
    return fault;
  }

  /** To be called after {@link settle}. Those that hold nothing are asked only where one of them may have kept something. */
  release(attempt: Attempt, failure: Failure | undefined, before: Fault | undefined): Fault | undefined {
    if (this.hold || attempt.rare?.faulty === true) return this.releaseEach(attempt, failure, before);
    attempt.admitted = 0;
    return before;
  }

  private releaseEach(attempt: Attempt, failure: Failure | undefined, before: Fault | undefined): Fault | undefined {
    let fault = before;
    for (let index = attempt.admitted - 1; index >= 0; index--) {
      try {
        (this.all[index] as Guard).released(attempt, failure);
      } catch (error) {
        fault ??= { error };
      }
    }
    attempt.admitted = 0;
    return fault;
  }

  item(attempt: Attempt): void {
    for (const guard of this.all) guard.item(attempt);
  }

  wanted(attempt: Attempt): void {
    for (const guard of this.all) guard.wanted(attempt);
  }

  parked(attempt: Attempt): void {
    for (const guard of this.all) guard.parked(attempt);
  }
}
