import { isPromise, promiseOf } from '../errors/foreign.js';
import type { ObservedCall } from '../events/call-listener.js';
import type { Attempt } from './attempt.js';
import { callOf } from './call.js';
import { observationOf } from './observation-of.js';
import type { Observation } from './observation.js';
import { Failure } from './outcome/failure.js';
import { rejection } from './rejection.js';

/** Calls a method that is known to give its answer at once. */
export function calledAtOnce<T>(attempt: Attempt, work: (attempt: Attempt) => T): T {
  const observation = observationOf(attempt);
  if (observation === undefined) return work(attempt);
  observation.begin('sync');
  return observation.run(attempt, work);
}

/** A method was called before anybody knew that it would give a `kind` of answer. */
export function begunBefore(attempt: Attempt, kind: ObservedCall['kind']): Observation | undefined {
  const observation = observationOf(attempt);
  observation?.begin(kind);
  observation?.attemptBegun(attempt);
  return observation;
}

/** A call that no pipeline has run has given `value`. */
export function gaveAtOnce<T>(attempt: Attempt, value: T): T {
  const observation = begunBefore(attempt, 'sync');
  if (observation === undefined) return value;
  observation.attemptEnded(attempt, undefined, attempt.since);
  observation.ended(callOf(attempt));
  return value;
}

/**
 * A call that no pipeline has run has failed, and `answer` stands in for it.
 *
 * @throws what `answer` throws.
 */
export function failedAtOnce(attempt: Attempt, error: unknown, answer: () => unknown): unknown {
  const observation = begunBefore(attempt, 'sync');
  if (observation === undefined) return answer();
  const call = callOf(attempt);
  observation.attemptEnded(attempt, new Failure(error), attempt.since);
  try {
    const given = answer();
    if (isPromise(given))
      return promiseOf(given).then(
        (value) => {
          observation.ended(call);
          return value;
        },
        (late: unknown) => {
          observation.endedBy(call, late);
          return rejection(late);
        },
      );
    observation.ended(call);
    return given;
  } catch (fault) {
    observation.endedBy(call, fault);
    throw fault;
  }
}
