import { describePassed, isDecoratedItself, type AnyClass, type GuardedMethod } from '../guarded/guarded-method.js';
import { textOf } from '../kernel/error-text.js';
import type { Returns } from '../kernel/method-kind.js';
import type { Learner, Plan } from '../pipeline/plan.js';
import type { StateOwner } from './state-owners.js';

/** What is to be learned of. */
interface Pupil {
  readonly method: GuardedMethod;
  readonly concrete: AnyClass;
  readonly owner: StateOwner | undefined;
  /** As warnings name it. */
  readonly place: string;
  /** What its set says that methods give. */
  readonly returns: Returns | undefined;
}

/** What the methods of an app turn out to give. */
export interface Lessons {
  /** What a method has turned out to give; undefined: it is not known. */
  kindOf(method: GuardedMethod, concrete: AnyClass): Returns | undefined;
  /** The plan for what a method gives, which is in use from now on. @throws ResilienceConfigurationError */
  learn(method: GuardedMethod, concrete: AnyClass, owner: StateOwner | undefined, kind: Returns): Plan;
  /** It gave what is not guarded. */
  pass(method: GuardedMethod, concrete: AnyClass, place: string, reason: string): void;
}

/** Learns what a method gives that does not say so. */
export function learnerOf({ method, concrete, owner, place, returns }: Pupil, lessons: Lessons): Learner {
  const pass = (reason: string): void => lessons.pass(method, concrete, place, reason);
  return {
    byClassAlone: !isDecoratedItself(method),
    thenableAlone: method.kind === 'sync',
    returns,
    learn: (kind) => {
      try {
        return lessons.learn(method, concrete, owner, kind);
      } catch (error) {
        // Not every policy can guard a stream.
        return void pass(textOf(error));
      }
    },
    passed: (value) => pass(describePassed(value, method)),
  };
}
