import type { EventBus } from '../events/event-bus.js';
import type { MethodKind, Returns } from '../kernel/method-kind.js';
import type { Origin } from '../kernel/origin.js';
import type { Pipeline } from '../kernel/pipeline.js';
import type { Target } from '../kernel/target.js';
import type { SetKey } from '../policies/kinds.js';
import type { Lesson } from './learning.js';
import type { Body } from './promise-work.js';
import type { ResponseSlot } from './response-slot.js';
import type { Observe } from './stream.js';

/** One policy of a plan, as `plan()` shows it. */
export interface PlannedPolicy {
  readonly policy: SetKey;
  /** The instance: the name given to it, or `Class.method`. */
  readonly name: string;
  /** The options in force. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where each of them came from. */
  readonly sources: Readonly<Record<string, string>>;
}

/** Learns what a method gives, where neither its code nor its type nor its set says so. */
export interface LearnerOf<P> extends Lesson {
  /** @returns the plan for what it gives; undefined where that cannot be guarded so. */
  learn(kind: Returns): P | undefined;
  /** It gave what is not guarded. */
  passed(value: unknown): void;
}

/** How one method is guarded, by a plan of the class P. */
export interface PlanInitOf<P> {
  readonly target: Target;
  readonly kind: MethodKind;
  readonly policies: readonly PlannedPolicy[];
  /** The argument at which the caller may pass a signal, and the method wants the attempt's; -1: nowhere. */
  readonly signalIndex: number;
  /** Where Nest hands a handler the response; undefined: nowhere. */
  readonly response?: ResponseSlot | undefined;
  /** Told where its answer is a last good one. */
  readonly onStale?: Origin['onStale'];
  readonly pipeline: Pipeline;
  /** Where calls say whether they are observed. */
  readonly events: EventBus;
  /** The pipeline of calls that are. */
  readonly observed: () => Pipeline;
  readonly body: Body;
  /** Set while nobody knows what the method gives. */
  readonly learner?: LearnerOf<P> | undefined;
  /** With a learner: the guards that count what a call gave, without those that could repeat or replace it. */
  readonly counting?: Pipeline | undefined;
  /** Where the kind is not known: Fallback and Recover alone, for what a method gives at once. */
  readonly answering?: Pipeline | undefined;
  readonly observe: Observe;
}
