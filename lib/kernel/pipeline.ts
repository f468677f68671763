import { instanceOf } from '../errors/foreign.js';
import { Attempt, type Course } from './attempt.js';
import { callOf, type Call } from './call.js';
import { Decisions, type HandOn } from './decisions.js';
import type { Decision } from './decision.js';
import type { Admission, Guard } from './guard.js';
import { Guards } from './guards.js';
import type { Inner, Work } from './junction.js';
import { endOfAttempt } from './end-promise.js';
import { Failure } from './outcome/failure.js';
import { rejected, rejection } from './rejection.js';
import type { Target } from './target.js';
import { TimeLimit } from './time-limit.js';

export interface PipelineInit {
  readonly target: Target;
  /** Outermost first. */
  readonly guards?: readonly Guard[];
  /** Innermost first. */
  readonly decisions?: readonly Decision[];
  readonly work: Work;
  /** Whether its work are attempts of another pipeline. */
  readonly isJunction?: boolean;
  /** Is paid for first attempts, beside what the decisions say. */
  readonly budget?: Course['budget'];
  /** Whether a cut ends an attempt for its caller, although its work goes on. */
  readonly endsEarly?: boolean;
  /** Hands on what answers in place of a stream; undefined: answers are given as they are. */
  readonly handOn?: HandOn | undefined;
}

/**
 * Takes attempts through their guards to their work, and asks the decisions what becomes of them after it.
 *
 * Its listeners are total: whatever throws inside rejects the caller's promise, and what was taken is given back.
 */
export class Pipeline implements Course, Inner {
  readonly target: Target;
  readonly budget: Course['budget'];
  /** Whether its work are attempts of another pipeline. */
  readonly isJunction: boolean;
  readonly #guards: Guards;
  readonly #work: Work;
  readonly #limit: TimeLimit | undefined;
  readonly #endsEarly: boolean;
  readonly #decisions: Decisions;

  constructor(init: PipelineInit) {
    const { target, guards = [], decisions = [], budget } = init;
    this.target = target;
    this.isJunction = init.isJunction === true;
    this.#guards = new Guards(guards);
    this.#work = init.work;
    this.#endsEarly = init.endsEarly === true;
    this.#limit = guards.find((guard): guard is TimeLimit => instanceOf(guard, TimeLimit));
    this.#decisions = new Decisions(decisions, target, init.handOn, (call) => this.#run(call.nextAttempt()));
    this.budget = budget ?? this.#decisions.budget;
  }

  /** Runs the first attempt of a call, and whatever is decided after it. */
  start(attempt: Attempt): Promise<unknown> {
    try {
      if (this.#decisions.beginEach) this.#decisions.begin(callOf(attempt));
    } catch (fault) {
      callOf(attempt).done();
      return rejected(fault);
    }
    return this.#run(attempt);
  }

  /**
   * What answers in place of the error of a method that gives its answer at once.
   *
   * @throws the error that nothing answers.
   */
  answer(attempt: Attempt, error: unknown): unknown {
    return this.#decisions.atOnce(callOf(attempt), error);
  }

  part(whole: Attempt, number: number): Attempt {
    const part = this.#earlyOr(whole, number);
    part.rarely().around = whole;
    part.rarely().isPart = true;
    // A listener may have cut the whole while it was told of the part.
    if (whole.aborted) part.abort(whole.reason);
    return part;
  }

  separate(first: Attempt): Attempt {
    const attempt = this.#earlyOr(first, 1);
    attempt.rarely().startedBy = first;
    return attempt;
  }

  /** The innermost attempt is the one that has begun before all of this, if there is one. */
  #earlyOr({ instance, args, origin, rare }: Attempt, number: number): Attempt {
    const early = this.isJunction ? undefined : rare?.early?.take();
    const attempt = early ?? new Attempt(this, instance, args, origin, number);
    attempt.course = this;
    if (rare?.early !== undefined) attempt.rarely().early = rare.early;
    return attempt;
  }

  #run(attempt: Attempt): Promise<unknown> {
    attempt.bounded =
      this.#endsEarly &&
      (this.#limit !== undefined || attempt.around !== undefined || attempt.call?.abortable === true);
    const admission = this.#guards.admit(attempt, 0);
    const decisions = this.#decisions;
    if (admission === undefined && !attempt.bounded)
      return this.#begin(attempt).then(
        (value) => decisions.onValue(attempt, this.#succeeded(attempt, value)),
        (error: unknown) => decisions.onError(attempt, this.#failed(attempt, error)),
      );
    // The end of an attempt that can come before that of its work. What is decided then is decided where the caller
    // has listened, and so in the caller's async context: a timer knows nothing of it.
    const end = endOfAttempt(attempt);
    this.#proceed(attempt, admission);
    if (decisions.none) return end;
    const onError = (error: unknown): unknown => decisions.onError(attempt, error);
    return decisions.judgeValues
      ? end.then((value) => decisions.onValue(attempt, value), onError)
      : end.then(undefined, onError);
  }

  // ---- before the work

  #proceed(attempt: Attempt, admission: Admission): void {
    if (admission === undefined) {
      this.#begin(attempt).then(
        (value) => this.#end(attempt, value),
        (error: unknown) => this.#endBy(attempt, error),
      );
    } else if (admission.waits) {
      const next = attempt.admitted + 1;
      admission.begin(
        () => {
          attempt.rarely().hasWaited = true;
          attempt.admitted = next;
          this.#proceed(attempt, this.#guards.admit(attempt, next));
        },
        (error) => this.#endBy(attempt, error),
      );
    } else this.#endBy(attempt, admission.error);
  }

  #begin(attempt: Attempt): Promise<unknown> {
    if (attempt.aborted) return rejected(attempt.reason);
    try {
      // An attempt that is made up of others begins with the first of these.
      if (this.isJunction) return this.#work(attempt);
      attempt.begin();
      const work = this.#work(attempt);
      attempt.goOn();
      return work;
    } catch (fault) {
      return rejected(fault);
    }
  }

  // ---- after the work

  #end(attempt: Attempt, value: unknown): void {
    try {
      const given = this.#succeeded(attempt, value);
      if (!this.#decisions.judgeValues) (attempt.call as Call | undefined)?.done();
      attempt.resolve?.(given);
    } catch (fault) {
      attempt.resolve?.(rejection(fault));
    }
  }

  #endBy(attempt: Attempt, error: unknown): void {
    attempt.resolve?.(rejection(this.#failed(attempt, error)));
  }

  /** @throws what a guard has thrown. */
  #succeeded(attempt: Attempt, value: unknown): unknown {
    attempt.rest();
    if (attempt.settled) return void this.#guards.release(attempt, undefined, undefined);
    let settled = this.#guards.settle(attempt, value, undefined);
    try {
      // Others beside it are cut before what it held is given on.
      if (attempt.rare?.isPart === true) attempt.around?.rare?.inside?.answered?.(attempt, value);
    } catch (error) {
      settled ??= { error };
    }
    const fault = this.#guards.release(attempt, undefined, settled);
    if (fault !== undefined) throw fault.error;
    return value;
  }

  /** @returns the error by which the attempt ends. */
  #failed(attempt: Attempt, error: unknown): unknown {
    attempt.rest();
    const failure = new Failure(error);
    if (attempt.settled) return void this.#guards.release(attempt, failure, undefined);
    attempt.failure = failure;
    const settled = this.#guards.settle(attempt, undefined, failure);
    const fault = this.#guards.release(attempt, failure, settled);
    return fault === undefined ? error : fault.error;
  }

  /** Ends an attempt for its caller, while its work goes on. */
  cutShort(attempt: Attempt, reason: unknown): void {
    const failure = (attempt.failure = new Failure(reason));
    const fault = this.#guards.settle(attempt, undefined, failure);
    attempt.resolve?.(rejection(fault === undefined ? reason : fault.error));
  }

  /** Its work has ended at once, with the consumer that has left. */
  abandoned(attempt: Attempt): void {
    if (!attempt.running) return;
    attempt.rest();
    this.#guards.release(attempt, new Failure(attempt.reason), undefined);
  }

  // ---- streams

  expired(attempt: Attempt): Error {
    return (this.#limit as TimeLimit).expired(attempt);
  }

  item(attempt: Attempt): void {
    const { call, around } = attempt;
    const rare = attempt.rarely();
    rare.emitted = true;
    this.#guards.item(attempt);
    call?.item();
    rare.inside?.item?.();
    if (rare.isPart) around?.course.item(around);
  }

  wanted(attempt: Attempt): void {
    this.#guards.wanted(attempt);
  }

  parked(attempt: Attempt): void {
    this.#guards.parked(attempt);
  }
}
