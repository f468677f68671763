import { promiseOf, signalOf } from '../errors/foreign.js';
import type { EventBus } from '../events/event-bus.js';
import { begunBefore, calledAtOnce, failedAtOnce, gaveAtOnce } from '../kernel/at-once.js';
import { Attempt } from '../kernel/attempt.js';
import { callOf } from '../kernel/call.js';
import { hasAborted, reasonOf } from '../kernel/caller-signal.js';
import type { MethodKind } from '../kernel/method-kind.js';
import { observationOf } from '../kernel/observation-of.js';
import { observe } from '../kernel/observed-pipeline.js';
import type { Origin } from '../kernel/origin.js';
import type { Pipeline } from '../kernel/pipeline.js';
import { rejection } from '../kernel/rejection.js';
import { kindOf } from '../policies/kinds.js';
import { GuardedIterable } from './async-iterable.js';
import { inCall, outerCall } from './current-call.js';
import { EarlyAttempt, kindTaughtBy } from './learning.js';
import type { LearnerOf, PlanInitOf, PlannedPolicy } from './plan-init.js';
import { takeResponse } from './response-slot.js';
import type { StreamCall } from './stream.js';

export type Learner = LearnerOf<Plan>;

/** A method's policies in their order, ready to be called. */
export class Plan {
  readonly policies: readonly PlannedPolicy[];
  private readonly init: PlanInitOf<Plan>;
  private readonly pipeline: Pipeline;
  private readonly events: EventBus;
  private observed: Pipeline | undefined;
  /** Whether a call gives one promise, without a signal or a response among its arguments, as in nearly all. */
  private readonly isPlain: boolean;
  /** Whether nothing but Fallback and Recover guards it, and remembers nothing: then a synchronous method stays synchronous. */
  private readonly answersOnly: boolean;

  constructor(init: PlanInitOf<Plan>) {
    this.init = init;
    this.policies = init.policies;
    this.pipeline = init.pipeline;
    this.events = init.events;
    this.isPlain = init.kind === 'promise' && init.signalIndex < 0 && init.response === undefined;
    const answers = init.policies.every(({ policy }) => kindOf(policy).underKillSwitch === 'works');
    this.answersOnly = answers && !init.pipeline.decisions.hearValues;
  }

  get className(): string {
    return this.init.target.className;
  }

  get methodName(): string {
    return this.init.target.methodName;
  }

  /** What its calls give; undefined or `'sync'` while nobody knows. */
  get kind(): MethodKind {
    return this.init.kind;
  }

  /** Whether nobody knows yet what the method gives, and its policies depend on it. */
  get learns(): boolean {
    const { learner } = this.init;
    return learner !== undefined && (learner.byClassAlone || !this.answersOnly);
  }

  /** Calls the method as its kind demands. */
  invoke(instance: unknown, args: readonly unknown[]): unknown {
    if (this.isPlain && this.events.calls === undefined && outerCall() === undefined)
      return this.pipeline.start(new Attempt(this.pipeline, instance, args));
    const handed = takeResponse(this.init, args);
    return this.begin(instance, handed?.args ?? args, handed?.origin);
  }

  /** One call that gives a promise. */
  call(
    instance: unknown,
    args: readonly unknown[],
    signal: AbortSignal | undefined,
    origin?: Origin,
  ): Promise<unknown> {
    const pipeline = this.events.calls === undefined ? this.pipeline : this.observedPipeline();
    const attempt = new Attempt(pipeline, instance, args, origin);
    const around = outerCall();
    return signal === undefined && around === undefined
      ? pipeline.start(attempt)
      : this.startUnder(pipeline, attempt, signal, around);
  }

  /** An Observable each of whose subscriptions is one call, inside the guarded call that subscribes. */
  observe(instance: unknown, args: readonly unknown[], origin?: Origin, early?: EarlyAttempt): unknown {
    return this.init.observe((sink) => this.open(instance, args, { ...origin, sink }, early));
  }

  /** Guards what the method has given already, called by somebody who knew of no policies. */
  guard(instance: unknown, args: readonly unknown[], value: unknown): unknown {
    const { learner } = this.init;
    return learner === undefined ? value : this.learn(this.early(instance, args), value, learner);
  }

  /** The pipeline of a call that somebody observes. */
  private observedPipeline(): Pipeline {
    return (this.observed ??= this.init.observed());
  }

  private signalIn(args: readonly unknown[]): AbortSignal | undefined {
    const { signalIndex } = this.init;
    return signalIndex < 0 ? undefined : signalOf(args[signalIndex]);
  }

  private begin(instance: unknown, args: readonly unknown[], origin?: Origin, early?: EarlyAttempt): unknown {
    switch (this.init.kind) {
      case 'promise':
        return this.call(instance, args, this.signalIn(args), origin);
      case 'observable':
        return this.observe(instance, args, origin, early);
      case 'asyncIterable':
        return new GuardedIterable((sink) => this.open(instance, args, { sink }, early));
      default:
        return this.callToLearn(instance, args, origin);
    }
  }

  /** Begins the call of a stream. */
  private open(
    instance: unknown,
    args: readonly unknown[],
    origin: Origin,
    early: EarlyAttempt | undefined,
  ): StreamCall {
    const pipeline = this.events.calls === undefined ? this.pipeline : this.observedPipeline();
    const attempt = this.first(pipeline, instance, args, origin, early);
    attempt.origin = origin;
    const call = callOf(attempt);
    return { call, end: this.startUnder(pipeline, attempt, this.signalIn(args), outerCall()) };
  }

  /** The first attempt of a call: the one that has begun early, unless others are to be built around that. */
  private first(
    pipeline: Pipeline,
    instance: unknown,
    args: readonly unknown[],
    origin: Origin | undefined,
    early: EarlyAttempt | undefined,
  ): Attempt {
    const begun = pipeline.isJunction ? undefined : early?.take();
    const attempt = begun ?? new Attempt(pipeline, instance, args, origin);
    attempt.course = pipeline;
    if (pipeline.isJunction && early !== undefined) attempt.rarely().early = early;
    return attempt;
  }

  /** Starts an attempt that others can cut. */
  private startUnder(
    pipeline: Pipeline,
    attempt: Attempt,
    signal: AbortSignal | undefined,
    around: Attempt | undefined,
  ): Promise<unknown> {
    if (around !== undefined) attempt.rarely().around = around;
    const call = callOf(attempt);
    call.follow(signal, around);
    return pipeline.start(attempt).then(
      (value) => (call.letGo(), value),
      (error: unknown) => (call.letGo(), rejection(error)),
    );
  }

  // ---- methods of which nobody knows what they give

  private early(instance: unknown, args: readonly unknown[], origin?: Origin): Attempt {
    const attempt = new Attempt(this.pipeline, instance, args, origin);
    const around = outerCall();
    if (around !== undefined) attempt.rarely().around = around;
    observe(attempt, this.events);
    return attempt;
  }

  /** Calls a method of which nobody knows yet what it gives; that decides how this call and the next are guarded. */
  private callToLearn(instance: unknown, args: readonly unknown[], origin: Origin | undefined): unknown {
    const { body, learner } = this.init;
    const early = this.early(instance, args, origin);
    const signal = this.signalIn(args);
    if (hasAborted(signal)) early.abort(reasonOf(signal));
    let value: unknown;
    try {
      value = learner === undefined ? calledAtOnce(early, (one) => inCall(one, body)) : inCall(early, body);
    } catch (error) {
      if (learner?.byClassAlone === true) throw error;
      if (learner !== undefined) this.count(early, Promise.reject(error));
      return this.answer(early, error);
    }
    return learner === undefined ? gaveAtOnce(early, value) : this.learn(early, value, learner);
  }

  private learn(early: Attempt, value: unknown, learner: Learner): unknown {
    const kind = kindTaughtBy(value, learner);
    const asked = !learner.byClassAlone;
    if (asked && this.answersOnly && kind === undefined) return gaveAtOnce(early, value);
    if (asked && this.answersOnly && kind === 'promise') {
      begunBefore(early, kind);
      return promiseOf(value).then(
        (given) => gaveAtOnce(early, given),
        (error: unknown) => this.answer(early, error),
      );
    }
    const plan = kind === undefined ? undefined : learner.learn(kind);
    if (plan !== undefined) return plan.adopt(early, value);
    learner.passed(value);
    if (!asked) return value;
    this.count(early, Promise.resolve());
    return gaveAtOnce(early, value);
  }

  /** Takes in an attempt whose method has been called already. */
  private adopt(early: Attempt, value: unknown): unknown {
    const { instance, args, origin } = early;
    if (this.kind !== 'promise') {
      early.rarely().given = { value };
      // Of a stream the subscription is the call.
      early.call = undefined;
      return this.begin(instance, args, origin, new EarlyAttempt(early));
    }
    // A lazy thenable begins here, and only once. A call that has been cut already does not listen to it.
    const work = promiseOf(value);
    work.catch(() => undefined);
    Object.assign(early.rarely(), { given: { value: work }, underway: true });
    const { around } = early;
    const pipeline = observationOf(early) === undefined ? this.pipeline : this.observedPipeline();
    const attempt = this.first(pipeline, instance, args, origin, new EarlyAttempt(early));
    callOf(attempt).observation = observationOf(early);
    return this.startUnder(pipeline, attempt, this.signalIn(args), around);
  }

  /** Lets those that count do so for a call that is over. */
  private count({ instance, args, around }: Attempt, end: Promise<unknown>): void {
    end.catch(() => undefined);
    const { counting } = this.init;
    if (counting === undefined) return;
    const attempt = new Attempt(counting, instance, args);
    Object.assign(attempt.rarely(), { around, given: { value: end }, underway: true });
    counting.start(attempt).catch(() => undefined);
  }

  /** What Fallback, then Recover make of an error. */
  private answer(early: Attempt, error: unknown): unknown {
    const { answering } = this.init;
    return failedAtOnce(early, error, () => {
      if (answering === undefined) throw error;
      return answering.answer(early, error);
    });
  }
}
