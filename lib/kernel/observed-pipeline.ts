import { isThenable, promiseOf } from '../errors/foreign.js';
import type { ObservedCall } from '../events/call-listener.js';
import type { EventBus } from '../events/event-bus.js';
import type { Attempt } from './attempt.js';
import { callOf, type Call } from './call.js';
import { Guard } from './guard.js';
import type { Work } from './junction.js';
import { observationOf } from './observation-of.js';
import { Observation } from './observation.js';
import type { Failure } from './outcome/failure.js';
import { Pipeline } from './pipeline.js';
import type { PipelineInit } from './pipeline-init.js';
import { Rejection, rejection } from './rejection.js';

/** For whom, and of what, a pipeline tells. */
export interface Observed {
  readonly events: EventBus;
  readonly kind: ObservedCall['kind'];
}

/**
 * The way that the calls take which somebody observes: the same policies as in the pipeline of all others, between a guard
 * and a work that tell. So a call of which nobody hears pays nothing, and one is observed whole or not at all.
 */
export class ObservedPipeline extends Pipeline {
  constructor(
    init: PipelineInit,
    private readonly observed: Observed,
  ) {
    super({ ...init, tells: true });
  }

  override start(attempt: Attempt): Promise<unknown> {
    const call = callOf(attempt);
    const observation = (call.observation ??= new Observation(this.observed.events, attempt)) as Observation;
    observation.begin(this.observed.kind);
    return super.start(attempt);
  }

  protected override answered(attempt: Attempt, answer: unknown): unknown {
    const call = callOf(attempt);
    const observation = call.observation as Observation;
    if (Rejection.is(answer)) observation.endedBy(call, answer.error);
    // A promise is that of the next attempt, which tells of its end itself, or of an answer that comes later.
    else if (isThenable(answer)) return this.laterAnswered(call, observation, answer);
    else observation.ended(call);
    return answer;
  }

  private laterAnswered(call: Call, observation: Observation, answer: unknown): Promise<unknown> {
    return promiseOf(answer).then(
      (value) => {
        observation.ended(call);
        return value;
      },
      (error: unknown) => {
        observation.endedBy(call, error);
        return rejection(error);
      },
    );
  }
}

/** Lets those who listen now hear of the call that `attempt` begins. */
export function observe(attempt: Attempt, events: EventBus): void {
  if (events.calls !== undefined) callOf(attempt).observation = new Observation(events, attempt);
}

/** Tells how attempts end; outermost, so that all others have settled them. */
class ObservingGuard extends Guard {
  override get holds(): boolean {
    return false;
  }

  admit(): undefined {
    // All may pass.
  }

  override settled(attempt: Attempt, _value: unknown, failure: Failure | undefined): void {
    observationOf(attempt)?.attemptEnded(attempt, failure);
  }
}

const OBSERVING_GUARD = new ObservingGuard();

/** What the innermost pipeline of observed calls has beside that of all others. */
export function observing<I extends Pick<PipelineInit, 'guards' | 'work'>>(init: I): I {
  const { guards = [], work } = init;
  return { ...init, guards: [OBSERVING_GUARD, ...guards], work: observedWork(work) };
}

/** Tells that the method of an attempt is called. */
function observedWork(work: Work): Work {
  return (attempt) => {
    const observation = observationOf(attempt);
    return observation === undefined ? work(attempt) : observation.run(attempt, work);
  };
}
