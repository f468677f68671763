import { instanceOf } from '../errors/foreign.js';
import type { Attempt, Course } from './attempt.js';
import { callOf } from './call.js';
import type { PaidByFirsts } from './course.js';
import { Decisions } from './decisions.js';
import { endOfAttempt } from './end-promise.js';
import type { Admission } from './guard.js';
import { Guards, type Fault } from './guards.js';
import { partOf, separateFrom } from './inner-attempts.js';
import { answered, type Inner, type Work } from './junction.js';
import { Failure } from './outcome/failure.js';
import type { PipelineInit } from './pipeline-init.js';
import { rejected, rejection } from './rejection.js';
import type { Target } from './target.js';
import { TimeLimit } from './time-limit.js';

/**
 * Takes attempts through their guards to their work, and asks the decisions what becomes of them after it.
 *
 * Its listeners are total: whatever throws inside rejects the caller's promise, and what was taken is given back.
 */
export class Pipeline implements Course, Inner {
  readonly target: Target;
  readonly budget: PaidByFirsts | undefined;
  /** Whether its work are attempts of another pipeline. */
  readonly isJunction: boolean;
  private readonly guards: Guards;
  private readonly work: Work;
  private readonly limit: TimeLimit | undefined;
  private readonly cuts: boolean;
  readonly decisions: Decisions;
  private readonly beginEach: boolean;
  private readonly tells: boolean;

  constructor(init: PipelineInit) {
    const { target, guards = [], decisions = [], budget } = init;
    this.target = target;
    this.isJunction = init.isJunction === true;
    this.guards = new Guards(guards);
    this.work = init.work;
    this.cuts = init.endsEarly === true;
    this.limit = guards.find((guard): guard is TimeLimit => instanceOf(guard, TimeLimit));
    this.decisions = new Decisions(decisions, target, init.handOn, (call) => this.run(call.nextAttempt()));
    this.beginEach = this.decisions.beginEach;
    this.tells = init.tells === true;
    this.budget = budget ?? this.decisions.budget;
  }

  /** Runs the first attempt of a call, and whatever is decided after it. */
  start(attempt: Attempt): Promise<unknown> {
    return this.beginEach ? this.startTold(attempt) : this.run(attempt);
  }

  /** As {@link start}, where a decision wants to know of each call that begins. */
  private startTold(attempt: Attempt): Promise<unknown> {
    try {
      this.decisions.begin(callOf(attempt));
    } catch (fault) {
      callOf(attempt).done();
      this.answered(attempt, rejection(fault));
      return rejected(fault);
    }
    return this.run(attempt);
  }

  /** A call has come to a value, a rejection, or a promise of these. @returns that. */
  protected answered(_attempt: Attempt, answer: unknown): unknown {
    return answer;
  }

  /**
   * What answers in place of the error of a method that gives its answer at once.
   *
   * @throws the error that nothing answers.
   */
  answer(attempt: Attempt, error: unknown): unknown {
    return this.decisions.atOnce(callOf(attempt), error);
  }

  part(whole: Attempt, number: number): Attempt {
    return partOf(this, whole, number);
  }

  separate(first: Attempt): Attempt {
    return separateFrom(this, first);
  }

  private run(attempt: Attempt): Promise<unknown> {
    const admission = this.guards.admit(attempt, 0);
    if (admission !== undefined || this.endsEarly(attempt)) return this.runBound(attempt, admission);
    return this.begin(attempt).then(
      (value) => this.given(attempt, value),
      (error: unknown) => this.onError(attempt, this.failed(attempt, error)),
    );
  }

  /** Whether somebody can cut an attempt, and end it so for its caller. */
  private endsEarly({ rare, call }: Attempt): boolean {
    if (!this.cuts) return false;
    return this.limit !== undefined || call?.abortable === true || rare?.around !== undefined;
  }

  private given(attempt: Attempt, value: unknown): unknown {
    const given = this.succeeded(attempt, value);
    return this.decisions.judgeValues ? this.onValue(attempt, given) : given;
  }

  private onValue(attempt: Attempt, value: unknown): unknown {
    return this.answered(attempt, this.decisions.onValue(attempt, value));
  }

  private onError(attempt: Attempt, error: unknown): unknown {
    return this.answered(attempt, this.decisions.onError(attempt, error));
  }

  /** Runs an attempt whose end can come before that of its work, or before its work begins. */
  private runBound(attempt: Attempt, admission: Admission): Promise<unknown> {
    if (this.endsEarly(attempt)) attempt.bind();
    // What is decided then is decided where the caller has listened, and so in the caller's async context: a timer knows
    // nothing of it.
    const end = endOfAttempt(attempt);
    this.proceed(attempt, admission);
    const { decisions } = this;
    if (decisions.none && !this.tells) return end;
    const onError = (error: unknown): unknown => this.onError(attempt, error);
    return decisions.judgeValues
      ? end.then((value) => this.onValue(attempt, value), onError)
      : end.then(undefined, onError);
  }

  // ---- before the work

  private proceed(attempt: Attempt, admission: Admission): void {
    if (admission === undefined) {
      this.begin(attempt).then(
        (value) => this.end(attempt, value),
        (error: unknown) => this.endBy(attempt, error),
      );
    } else if (admission.waits) {
      const next = attempt.admitted + 1;
      admission.begin(
        () => {
          attempt.rarely().hasWaited = true;
          attempt.admitted = next;
          this.proceed(attempt, this.guards.admit(attempt, next));
        },
        (error) => this.endBy(attempt, error),
      );
    } else this.endBy(attempt, admission.error);
  }

  private begin(attempt: Attempt): Promise<unknown> {
    if (attempt.aborted) return rejected(attempt.reason);
    try {
      // An attempt that is made up of others begins with the first of these.
      if (this.isJunction) return this.work(attempt);
      attempt.begin();
      const work = this.work(attempt);
      attempt.goOn();
      return work;
    } catch (fault) {
      return rejected(fault);
    }
  }

  // ---- after the work

  private end(attempt: Attempt, value: unknown): void {
    try {
      attempt.resolve?.(this.succeeded(attempt, value));
    } catch (fault) {
      attempt.resolve?.(rejection(fault));
    }
  }

  private endBy(attempt: Attempt, error: unknown): void {
    attempt.resolve?.(rejection(this.failed(attempt, error)));
  }

  /** @throws what a guard has thrown. */
  private succeeded(attempt: Attempt, value: unknown): unknown {
    attempt.rest();
    let fault: Fault | undefined;
    const late = attempt.settled;
    if (!late) {
      fault = this.guards.settle(attempt, value, undefined);
      if (attempt.rare?.isPart === true) fault = answered(attempt, value) ?? fault;
    }
    fault = this.guards.release(attempt, undefined, fault);
    if (fault !== undefined) throw fault.error;
    // The late end of an attempt that was cut ends nothing: another may be under way.
    if (late || this.decisions.judgeValues) return value;
    attempt.call?.done();
    if (this.decisions.hearValues) this.decisions.gave(callOf(attempt), value);
    if (this.tells) this.answered(attempt, undefined);
    return value;
  }

  /** @returns the error by which the attempt ends. */
  private failed(attempt: Attempt, error: unknown): unknown {
    attempt.rest();
    const failure = new Failure(error);
    let fault: Fault | undefined;
    if (!attempt.settled) {
      attempt.failure = failure;
      fault = this.guards.settle(attempt, undefined, failure);
    }
    fault = this.guards.release(attempt, failure, fault);
    return fault === undefined ? error : fault.error;
  }

  /** Ends an attempt for its caller, while its work goes on. */
  cutShort(attempt: Attempt, reason: unknown): void {
    const failure = (attempt.failure = new Failure(reason));
    const fault = this.guards.settle(attempt, undefined, failure);
    attempt.resolve?.(rejection(fault === undefined ? reason : fault.error));
  }

  /** Its work has ended at once, with the consumer that has left. */
  abandoned(attempt: Attempt): void {
    if (!attempt.running) return;
    attempt.rest();
    if (!attempt.settled) this.cutShort(attempt, attempt.reason);
    this.guards.release(attempt, new Failure(attempt.reason), undefined);
  }

  // ---- streams

  expired(attempt: Attempt): Error {
    return (this.limit as TimeLimit).expired(attempt);
  }

  item(attempt: Attempt, value?: unknown): void {
    const rare = attempt.rarely();
    rare.emitted = true;
    this.guards.item(attempt);
    attempt.call?.done();
    rare.inside?.item?.();
    if (this.decisions.hearValues) this.decisions.item(callOf(attempt), value);
    if (rare.isPart) rare.around?.course.item(rare.around, value);
  }

  wanted(attempt: Attempt): void {
    this.guards.wanted(attempt);
  }

  parked(attempt: Attempt): void {
    this.guards.parked(attempt);
  }
}
