import type { Attempt } from './attempt.js';
import type { PaidByFirsts } from './course.js';
import type { Fault } from './guards.js';

/** What an attempt does once its guards have let it in. It never throws; it settles when its work has ended. */
export type Work = (attempt: Attempt) => Promise<unknown>;

/** The pipeline inside a junction, as the junction sees it. */
export interface Inner {
  start(attempt: Attempt): Promise<unknown>;
  /** An attempt inside as a part of another one: it is bounded with it. */
  part(whole: Attempt, number: number): Attempt;
  /** An attempt inside that `first` begins for itself and others: nothing around that one cuts it. */
  separate(first: Attempt): Attempt;
}

/** Takes attempts of another pipeline in place of a method. */
export interface Junction {
  run(attempt: Attempt, inner: Inner): Promise<unknown>;
  /** Is paid for the first attempts inside; undefined: nobody. */
  readonly budget?: PaidByFirsts | undefined;
}

/** Tells a whole that a part of it has answered: others beside that one are cut before what it held is given on. */
export function answered(part: Attempt, value: unknown): Fault | undefined {
  try {
    part.around?.rare?.inside?.answered?.(part, value);
  } catch (error) {
    return { error };
  }
  return undefined;
}
