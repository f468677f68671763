import { promiseOf, signalOf } from '../errors/foreign.js';
import { Attempt } from '../kernel/attempt.js';
import { callOf } from '../kernel/call.js';
import { hasAborted, reasonOf } from '../kernel/caller-signal.js';
import type { MethodKind, Returns } from '../kernel/method-kind.js';
import type { Origin } from '../kernel/origin.js';
import type { Pipeline } from '../kernel/pipeline.js';
import { rejection } from '../kernel/rejection.js';
import type { Target } from '../kernel/target.js';
import type { SetKey } from '../policies/kinds.js';
import { GuardedIterable } from './async-iterable.js';
import { inCall, outerCall } from './current-call.js';
import { EarlyAttempt, kindTaughtBy, type Lesson } from './learning.js';
import type { Body } from './promise-work.js';
import type { Observe, StreamCall } from './stream.js';

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
export interface Learner extends Lesson {
  /** @returns the plan for what it gives; undefined where that cannot be guarded so. */
  learn(kind: Returns): Plan | undefined;
  /** It gave what is not guarded. */
  passed(value: unknown): void;
}

/** How one method is guarded. */
export interface PlanInit {
  readonly target: Target;
  readonly kind: MethodKind;
  readonly policies: readonly PlannedPolicy[];
  /** The argument at which the caller may pass a signal, and the method wants the attempt's; -1: nowhere. */
  readonly signalIndex: number;
  readonly pipeline: Pipeline;
  readonly body: Body;
  /** Set while nobody knows what the method gives. */
  readonly learner?: Learner | undefined;
  /** With a learner: the guards that count what a call gave, without those that could repeat or replace it. */
  readonly counting?: Pipeline | undefined;
  /** Where the kind is not known: Fallback and Recover alone, for what a method gives at once. */
  readonly answering?: Pipeline | undefined;
  readonly observe: Observe;
}

/** A method's policies in their order, ready to be called. */
export class Plan {
  readonly policies: readonly PlannedPolicy[];
  readonly #init: PlanInit;
  readonly #pipeline: Pipeline;
  readonly #signalIndex: number;
  /** Whether a call gives one promise, as nearly all do. */
  readonly #givesPromise: boolean;
  /** Whether nothing but Fallback and Recover guards it: then a synchronous method stays synchronous. */
  readonly #answersOnly: boolean;

  constructor(init: PlanInit) {
    this.#init = init;
    this.policies = init.policies;
    this.#pipeline = init.pipeline;
    this.#signalIndex = init.signalIndex;
    this.#givesPromise = init.kind === 'promise';
    this.#answersOnly = init.policies.every(({ policy }) => policy === 'recover' || policy === 'fallback');
  }

  get className(): string {
    return this.#init.target.className;
  }

  get methodName(): string {
    return this.#init.target.methodName;
  }

  /** What its calls give; undefined or `'sync'` while nobody knows. */
  get kind(): MethodKind {
    return this.#init.kind;
  }

  /** Whether nobody knows yet what the method gives, and its policies depend on it. */
  get learns(): boolean {
    const { learner } = this.#init;
    return learner !== undefined && (learner.byClassAlone || !this.#answersOnly);
  }

  /** Calls the method as its kind demands. */
  invoke(instance: unknown, args: readonly unknown[]): unknown {
    return this.#givesPromise
      ? this.call(instance, args, this.#signalIn(args))
      : this.#begin(instance, args, undefined);
  }

  /** One call that gives a promise. */
  call(
    instance: unknown,
    args: readonly unknown[],
    signal: AbortSignal | undefined,
    origin?: Origin,
  ): Promise<unknown> {
    const attempt = new Attempt(this.#pipeline, instance, args, origin);
    const around = outerCall();
    return signal === undefined && around === undefined
      ? this.#pipeline.start(attempt)
      : this.#startUnder(attempt, signal, around);
  }

  /** An Observable each of whose subscriptions is one call, inside the guarded call that subscribes. */
  observe(instance: unknown, args: readonly unknown[], origin?: Origin, early?: EarlyAttempt): unknown {
    return this.#init.observe((sink) => this.#open(instance, args, { ...origin, sink }, early));
  }

  /** Guards what the method has given already, called by somebody who knew of no policies. */
  guard(instance: unknown, args: readonly unknown[], value: unknown): unknown {
    const { learner } = this.#init;
    return learner === undefined ? value : this.#learn(this.#early(instance, args), value, learner);
  }

  #signalIn(args: readonly unknown[]): AbortSignal | undefined {
    return this.#signalIndex < 0 ? undefined : signalOf(args[this.#signalIndex]);
  }

  #begin(instance: unknown, args: readonly unknown[], early: EarlyAttempt | undefined): unknown {
    switch (this.#init.kind) {
      case 'promise':
        return this.call(instance, args, this.#signalIn(args));
      case 'observable':
        return this.observe(instance, args, undefined, early);
      case 'asyncIterable':
        return new GuardedIterable((sink) => this.#open(instance, args, { sink }, early));
      default:
        return this.#callToLearn(instance, args);
    }
  }

  /** Begins the call of a stream. */
  #open(instance: unknown, args: readonly unknown[], origin: Origin, early: EarlyAttempt | undefined): StreamCall {
    const attempt = this.#first(instance, args, origin, early);
    attempt.origin = origin;
    const call = callOf(attempt);
    return { call, end: this.#startUnder(attempt, this.#signalIn(args), outerCall()) };
  }

  /** The first attempt of a call: the one that has begun early, unless others are to be built around that. */
  #first(
    instance: unknown,
    args: readonly unknown[],
    origin: Origin | undefined,
    early: EarlyAttempt | undefined,
  ): Attempt {
    const pipeline = this.#pipeline;
    const begun = pipeline.isJunction ? undefined : early?.take();
    const attempt = begun ?? new Attempt(pipeline, instance, args, origin);
    attempt.course = pipeline;
    if (pipeline.isJunction && early !== undefined) attempt.rarely().early = early;
    return attempt;
  }

  /** Starts an attempt that others can cut. */
  #startUnder(attempt: Attempt, signal: AbortSignal | undefined, around: Attempt | undefined): Promise<unknown> {
    if (around !== undefined) attempt.rarely().around = around;
    const call = callOf(attempt);
    call.follow(signal, around);
    return this.#pipeline.start(attempt).then(
      (value) => (call.letGo(), value),
      (error: unknown) => (call.letGo(), rejection(error)),
    );
  }

  // ---- methods of which nobody knows what they give

  #early(instance: unknown, args: readonly unknown[]): Attempt {
    const attempt = new Attempt(this.#pipeline, instance, args);
    const around = outerCall();
    if (around !== undefined) attempt.rarely().around = around;
    return attempt;
  }

  /** Calls a method of which nobody knows yet what it gives; that decides how this call and the next are guarded. */
  #callToLearn(instance: unknown, args: readonly unknown[]): unknown {
    const { body, learner } = this.#init;
    const early = this.#early(instance, args);
    const signal = this.#signalIn(args);
    if (hasAborted(signal)) early.abort(reasonOf(signal));
    let value: unknown;
    try {
      value = inCall(early, body);
    } catch (error) {
      if (learner?.byClassAlone === true) throw error;
      if (learner !== undefined) this.#count(early, Promise.reject(error));
      return this.#answer(early, error);
    }
    return learner === undefined ? value : this.#learn(early, value, learner);
  }

  #learn(early: Attempt, value: unknown, learner: Learner): unknown {
    const kind = kindTaughtBy(value, learner);
    const asked = !learner.byClassAlone;
    if (asked && this.#answersOnly && kind === undefined) return value;
    if (asked && this.#answersOnly && kind === 'promise')
      return promiseOf(value).then(undefined, (error: unknown) => this.#answer(early, error));
    const plan = kind === undefined ? undefined : learner.learn(kind);
    if (plan !== undefined) return plan.#adopt(early, value);
    learner.passed(value);
    if (asked) this.#count(early, Promise.resolve());
    return value;
  }

  /** Takes in an attempt whose method has been called already. */
  #adopt(early: Attempt, value: unknown): unknown {
    const { instance, args } = early;
    if (!this.#givesPromise) {
      early.rarely().given = { value };
      return this.#begin(instance, args, new EarlyAttempt(early));
    }
    // A lazy thenable begins here, and only once. A call that has been cut already does not listen to it.
    const work = promiseOf(value);
    work.catch(() => undefined);
    Object.assign(early.rarely(), { given: { value: work }, underway: true });
    const { around } = early;
    const attempt = this.#first(instance, args, undefined, new EarlyAttempt(early));
    return this.#startUnder(attempt, this.#signalIn(args), around);
  }

  /** Lets those that count do so for a call that is over. */
  #count({ instance, args, around }: Attempt, end: Promise<unknown>): void {
    end.catch(() => undefined);
    const { counting } = this.#init;
    if (counting === undefined) return;
    const attempt = new Attempt(counting, instance, args);
    attempt.rarely().around = around;
    Object.assign(attempt.rarely(), { given: { value: end }, underway: true });
    counting.start(attempt).catch(() => undefined);
  }

  /** What Fallback, then Recover make of an error. */
  #answer(early: Attempt, error: unknown): unknown {
    const { answering } = this.#init;
    if (answering === undefined) throw error;
    return answering.answer(early, error);
  }
}
