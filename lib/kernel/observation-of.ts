import type { Attempt } from './attempt.js';
import type { Call } from './call.js';
import type { Observation } from './observation.js';

/** Who observes the call that an attempt belongs to; undefined: nobody. */
export function observationOf(attempt: Attempt): Observation | undefined {
  for (let one: Attempt | undefined = attempt; one !== undefined; one = wholeOf(one)) {
    const observation = (one.call as Call | undefined)?.observation;
    if (observation !== undefined) return observation as Observation;
  }
  return undefined;
}

/** What an attempt is a part of, or who has begun it for several. */
function wholeOf({ rare }: Attempt): Attempt | undefined {
  return rare?.isPart === true ? rare.around : rare?.startedBy;
}
