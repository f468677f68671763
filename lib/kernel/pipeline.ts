import { instanceOf, isObject, isThenable, promiseOf } from '../errors/foreign.js';
import { Attempt, type Course, type Target } from './attempt.js';
import { callOf, type Call } from './call.js';
import { Again, PASS, type Decision } from './decision.js';
import type { Admission, Guard } from './guard.js';
import { Failure } from './outcome/failure.js';
import { pause } from './pause.js';
import { Rejection, rejected, rejection } from './rejection.js';
import { TimeLimit } from './time-limit.js';

/** What an attempt does once its guards have let it in. It never throws; it settles when its work has ended. */
export type Work = (attempt: Attempt) => Promise<unknown>;

/** Takes attempts of another pipeline in place of a method. */
export interface Junction {
  run(attempt: Attempt, inner: Pipeline): Promise<unknown>;
  /** Is paid for the first attempts inside; undefined: nobody. */
  readonly budget?: Course['budget'];
}

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
  readonly handOn?: ((call: Call, answer: unknown) => Promise<unknown>) | undefined;
}

/**
 * Takes attempts through their guards to their work, and decides what becomes of them after it.
 *
 * Its listeners are total: whatever throws inside rejects the caller's promise, and what was taken is given back.
 */
export class Pipeline implements Course {
  readonly target: Target;
  readonly budget: Course['budget'];
  /** Whether its work are attempts of another pipeline. */
  readonly isJunction: boolean;
  readonly #guards: readonly Guard[];
  readonly #decisions: readonly Decision[];
  readonly #work: Work;
  readonly #limit: TimeLimit | undefined;
  /** Wants to know of each call that begins. */
  readonly #starter: Decision | undefined;
  readonly #results: Decision | undefined;
  readonly #endsEarly: boolean;
  readonly #handOn: PipelineInit['handOn'];

  constructor(init: PipelineInit) {
    this.target = init.target;
    this.isJunction = init.isJunction === true;
    this.#guards = init.guards ?? [];
    this.#decisions = init.decisions ?? [];
    this.#work = init.work;
    this.#limit = this.#guards.find((guard): guard is TimeLimit => instanceOf(guard, TimeLimit));
    this.#starter = this.#decisions.find(({ begin }) => begin !== undefined);
    this.#results = this.#decisions.find(({ judgesResults }) => judgesResults === true);
    this.budget = init.budget ?? this.#decisions.find(({ budget }) => budget !== undefined)?.budget;
    this.#endsEarly = init.endsEarly === true;
    this.#handOn = init.handOn;
  }

  /** Runs the first attempt of a call, and whatever is decided after it. */
  start(attempt: Attempt): Promise<unknown> {
    this.#starter?.begin?.(callOf(attempt));
    return this.#run(attempt);
  }

  /** An attempt of this pipeline as a part of another one: it is cut and bounded with it. */
  part(whole: Attempt, number: number): Attempt {
    const part = this.#earlyOr(whole, number);
    part.around = whole;
    part.relate().isPart = true;
    // A listener may have cut the whole while it was told of the part.
    if (whole.aborted) part.abort(whole.reason);
    return part;
  }

  /** An attempt of this pipeline that `first` begins for itself and others: nothing around that one cuts it. */
  separate(first: Attempt): Attempt {
    const attempt = this.#earlyOr(first, 1);
    attempt.relate().startedBy = first;
    return attempt;
  }

  #earlyOr({ instance, args, origin }: Attempt, number: number): Attempt {
    const early = origin?.early?.take();
    if (early === undefined) return new Attempt(this, instance, args, origin, number);
    early.course = this;
    return early;
  }

  #run(attempt: Attempt): Promise<unknown> {
    attempt.bounded =
      this.#endsEarly &&
      (this.#limit !== undefined || attempt.around !== undefined || attempt.call?.abortable === true);
    const admission = this.#admit(attempt, 0);
    if (admission === undefined && !attempt.bounded)
      return this.#begin(attempt).then(
        (value) => this.#succeeded(attempt, value),
        (error: unknown) => this.#failed(attempt, error),
      );
    // The answer of an attempt that can end before its work does. What is decided then is decided where the caller
    // has listened, and so in the caller's async context: a timer knows nothing of it.
    const end = new Promise((resolve, reject) => {
      attempt.resolve = resolve;
      attempt.reject = reject;
      this.#proceed(attempt, admission);
    });
    return this.#decisions.length === 0 && this.#results === undefined
      ? end
      : end.then(undefined, (error: unknown) => this.#decide(attempt, error));
  }

  // ---- before the work

  /** Asks the guards from `from` on. */
  #admit(attempt: Attempt, from: number): Admission {
    const guards = this.#guards;
    try {
      for (let index = from; index < guards.length; index++) {
        attempt.admitted = index + 1;
        const admission = (guards[index] as Guard).admit(attempt);
        if (admission === undefined) continue;
        attempt.admitted = index;
        return admission;
      }
      return undefined;
    } catch (fault) {
      return { waits: false, error: fault };
    }
  }

  #proceed(attempt: Attempt, admission: Admission): void {
    if (admission === undefined) {
      this.#begin(attempt).then(
        (value) => this.#succeeded(attempt, value),
        (error: unknown) => this.#failed(attempt, error),
      );
    } else if (admission.waits) {
      const next = attempt.admitted + 1;
      admission.begin(
        () => {
          attempt.hasWaited = true;
          attempt.admitted = next;
          this.#proceed(attempt, this.#admit(attempt, next));
        },
        (error) => this.#turnAway(attempt, error),
      );
    } else this.#turnAway(attempt, admission.error);
  }

  /** It ends before it has begun. */
  #turnAway(attempt: Attempt, error: unknown): void {
    this.#failed(attempt, error);
  }

  #begin(attempt: Attempt): Promise<unknown> {
    if (attempt.aborted) return rejected(attempt.reason);
    attempt.begin();
    return this.#work(attempt);
  }

  // ---- after the work

  #succeeded(attempt: Attempt, value: unknown): unknown {
    attempt.rest();
    if (attempt.settled) return void this.#release(attempt, undefined, undefined);
    let fault = this.#settle(attempt, value, undefined);
    fault = this.#release(attempt, undefined, fault);
    let answer: unknown;
    try {
      answer = fault === undefined ? this.#answer(attempt, value) : rejection(fault.error);
    } catch (error) {
      answer = rejection(error);
    }
    if (attempt.resolve === undefined) return answer;
    attempt.resolve(answer);
    return undefined;
  }

  #failed(attempt: Attempt, error: unknown): unknown {
    attempt.rest();
    if (attempt.settled) return void this.#release(attempt, new Failure(error), undefined);
    const failure = (attempt.failure = new Failure(error));
    let fault = this.#settle(attempt, undefined, failure);
    fault = this.#release(attempt, failure, fault);
    const last = fault === undefined ? error : fault.error;
    if (attempt.reject !== undefined) {
      attempt.reject(last);
      return undefined;
    }
    return this.#decide(attempt, last);
  }

  /** Ends an attempt for its caller, while its work goes on. */
  cutShort(attempt: Attempt, reason: unknown): void {
    const failure = (attempt.failure = new Failure(reason));
    const fault = this.#settle(attempt, undefined, failure);
    attempt.reject?.(fault === undefined ? reason : fault.error);
  }

  abandoned(attempt: Attempt): void {
    if (!attempt.running) return;
    attempt.rest();
    this.#release(attempt, new Failure(attempt.reason), undefined);
  }

  /** Exactly those that have let it in are told, the innermost first. */
  #settle(attempt: Attempt, value: unknown, failure: Failure | undefined): Fault | undefined {
    attempt.settled = true;
    let fault: Fault | undefined;
    for (let index = attempt.admitted - 1; index >= 0; index--) {
      try {
        (this.#guards[index] as Guard).settled(attempt, value, failure);
      } catch (error) {
        fault ??= { error };
      }
    }
    return fault;
  }

  #release(attempt: Attempt, failure: Failure | undefined, before: Fault | undefined): Fault | undefined {
    let fault = before;
    for (let index = attempt.admitted - 1; index >= 0; index--) {
      try {
        (this.#guards[index] as Guard).released(attempt, failure);
      } catch (error) {
        fault ??= { error };
      }
    }
    attempt.admitted = 0;
    return fault;
  }

  #answer(attempt: Attempt, value: unknown): unknown {
    if (this.#results !== undefined) {
      const call = callOf(attempt);
      const verdict = this.#results.succeeded?.(call, value);
      if (Again.is(verdict)) return this.#again(call, verdict, 1);
      if (Rejection.is(verdict)) return this.#decideFrom(1, call, new Failure(verdict.error));
    }
    if (attempt.call !== undefined) (attempt.call as Call).done();
    return value;
  }

  // ---- decisions

  /**
   * What answers in place of the error of a method that gives its answer at once.
   *
   * @throws the error that nothing answers.
   */
  answer(attempt: Attempt, error: unknown): unknown {
    const answer = this.#decideFrom(0, callOf(attempt), new Failure(error), true);
    if (Rejection.is(answer)) throw answer.error;
    return answer;
  }

  /** What becomes of a call whose attempt has ended with `error`. */
  #decide(attempt: Attempt, error: unknown): unknown {
    if (this.#decisions.length === 0) return rejection(error);
    const { failure } = attempt;
    const read = failure !== undefined && failure.error === error ? failure : new Failure(error);
    return this.#decideFrom(0, callOf(attempt), read);
  }

  #decideFrom(from: number, call: Call, first: Failure, atOnce = false): unknown {
    const decisions = this.#decisions;
    let failure = first;
    for (let index = from; index < decisions.length; index++) {
      const decision = decisions[index] as Decision;
      try {
        const verdict = decision.failed(call, failure, atOnce);
        if (verdict === PASS) continue;
        if (Again.is(verdict)) return this.#again(call, verdict, index + 1);
        const answer = decision.answers && this.#handOn !== undefined ? this.#handOn(call, verdict) : verdict;
        if (Rejection.is(answer)) failure = new Failure(answer.error);
        else return this.#mended(index + 1, call, answer, atOnce);
      } catch (error) {
        failure = new Failure(error);
      }
    }
    return rejection(failure.error);
  }

  /** An answer that comes later may fail as well; a promise is resolved with any object, and that may fail too. */
  #mended(from: number, call: Call, answer: unknown, atOnce: boolean): unknown {
    const comesLater = atOnce ? isThenable(answer) : isObject(answer);
    if (from === this.#decisions.length || !comesLater) return answer;
    return promiseOf(answer).then(undefined, (error: unknown) => this.#decideFrom(from, call, new Failure(error)));
  }

  /** Makes another attempt after a pause; where that is cut, the decisions from `from` on are asked. */
  #again(call: Call, again: Again, from: number): unknown {
    if (again.delayMs <= 0) return this.#run(call.nextAttempt());
    return pause(call, again.delayMs, this.target, again.atShutdown).then(
      () => this.#run(call.nextAttempt()),
      (reason: unknown) => {
        again.onCut(reason);
        return this.#decideFrom(from, call, new Failure(reason));
      },
    );
  }

  // ---- streams

  expired(attempt: Attempt): Error {
    return (this.#limit as TimeLimit).expired(attempt);
  }

  item(attempt: Attempt): void {
    for (const guard of this.#guards) guard.item(attempt);
  }

  wanted(attempt: Attempt): void {
    for (const guard of this.#guards) guard.wanted(attempt);
  }

  parked(attempt: Attempt): void {
    for (const guard of this.#guards) guard.parked(attempt);
  }
}

/** Something that threw where nothing may. */
interface Fault {
  readonly error: unknown;
}
