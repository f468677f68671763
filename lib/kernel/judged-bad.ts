import type { Attempt } from './attempt.js';
import type { Call } from './call.js';

/** A policy has judged the value of an attempt, and so of all that this is a part of: nobody is to take it for a good one. */
export function judgeBad(attempt: Attempt): void {
  for (
    let one: Attempt | undefined = attempt;
    one !== undefined;
    one = one.rare?.isPart === true ? one.around : undefined
  )
    one.rarely().judgedBad = true;
}

/** Whether a policy has judged the value of a call's newest attempt to be no good one. */
export function isJudgedBad({ current }: Call): boolean {
  return current.rare?.judgedBad === true;
}
