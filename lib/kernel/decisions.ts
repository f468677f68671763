import { isObject, isThenable, promiseOf } from '../errors/foreign.js';
import type { Attempt } from './attempt.js';
import { callOf, type Call } from './call.js';
import type { PaidByFirsts } from './course.js';
import { Again, PASS, type Decision } from './decision.js';
import { Failure } from './outcome/failure.js';
import { pause } from './pause.js';
import { Rejection, rejection } from './rejection.js';
import type { Target } from './target.js';

/** Hands on what answers in place of a stream. */
export type HandOn = (call: Call, answer: unknown) => Promise<unknown>;

/** What becomes of a call after an attempt: the one place where its policies are asked. */
export class Decisions {
  /** Whether there is nothing to decide. */
  readonly none: boolean;
  /** Whether one of them wants to know of each call that begins. */
  readonly beginEach: boolean;
  /** Whether a value can ask for another attempt. */
  readonly judgeValues: boolean;
  /** Whether one of them wants to know of each value. */
  readonly hearValues: boolean;
  /** Is paid for each first attempt that has begun. */
  readonly budget: PaidByFirsts | undefined;

  /**
   * @param all the innermost first.
   * @param repeat makes the next attempt of a call.
   */
  constructor(
    private readonly all: readonly Decision[],
    private readonly target: Target,
    private readonly handOn: HandOn | undefined,
    private readonly repeat: (call: Call) => Promise<unknown>,
  ) {
    this.none = all.length === 0;
    this.beginEach = all.some((one) => one.begin !== undefined);
    this.judgeValues = all.some(({ judgesResults }) => judgesResults === true);
    this.hearValues = all.some((one) => one.gave !== undefined);
    this.budget = all.find(({ budget }) => budget !== undefined)?.budget;
  }

  begin(call: Call): void {
    for (const one of this.all) one.begin?.(call);
  }

  /** An attempt has given a value, and one of them judges values. */
  onValue(attempt: Attempt, value: unknown): unknown {
    const call = callOf(attempt);
    const verdict = this.judge(call, value);
    if (Again.is(verdict)) return this.again(call, verdict, 1);
    if (Rejection.is(verdict)) return this.ask(1, call, new Failure(verdict.error), false);
    call.done();
    this.gave(call, verdict);
    return verdict;
  }

  /** A call has given a value. */
  gave(call: Call, value: unknown): void {
    for (const one of this.all) one.gave?.(call, value);
  }

  /** An item of a call's stream has come. */
  item(call: Call, item: unknown): void {
    for (const one of this.all) one.item?.(call, item);
  }

  private judge(call: Call, value: unknown): unknown {
    try {
      return this.all[0]?.succeeded?.(call, value);
    } catch (error) {
      return rejection(error);
    }
  }

  /** An attempt has ended with an error. */
  onError(attempt: Attempt, error: unknown): unknown {
    if (this.none) return rejection(error);
    const { failure } = attempt;
    const read = failure !== undefined && failure.error === error ? failure : new Failure(error);
    return this.ask(0, callOf(attempt), read, false);
  }

  /**
   * The answer in place of the error of a method that gives its answer at once.
   *
   * @throws the error that nothing answers.
   */
  atOnce(call: Call, error: unknown): unknown {
    const answer = this.ask(0, call, new Failure(error), true);
    if (Rejection.is(answer)) throw answer.error;
    return answer;
  }

  /** Asks those from `from` on. What one throws, or answers with, is an error to the next. */
  private ask(from: number, call: Call, first: Failure, atOnce: boolean): unknown {
    let failure = first;
    for (let index = from; index < this.all.length; index++) {
      try {
        const decision = this.all[index] as Decision;
        const verdict = decision.failed(call, failure, atOnce);
        if (verdict === PASS) continue;
        if (Again.is(verdict)) return this.again(call, verdict, index + 1);
        const answer = decision.answers && this.handOn !== undefined ? this.handOn(call, verdict) : verdict;
        if (!Rejection.is(answer)) return this.answered(index + 1, call, answer, atOnce);
        failure = new Failure(answer.error);
      } catch (error) {
        failure = new Failure(error);
      }
    }
    return rejection(failure.error);
  }

  /** An answer that comes later may fail as well; a promise is resolved with any object, and that may fail too. */
  private answered(from: number, call: Call, answer: unknown, atOnce: boolean): unknown {
    const comesLater = atOnce ? isThenable(answer) : isObject(answer);
    if (from === this.all.length || !comesLater) return answer;
    return promiseOf(answer).then(undefined, (error: unknown) => this.ask(from, call, new Failure(error), false));
  }

  /** Makes another attempt after a pause; where that is cut, those from `from` on are asked. */
  private again(call: Call, again: Again, from: number): unknown {
    if (again.delayMs <= 0) return this.repeat(call);
    return pause(call, again.delayMs, this.target, again.atShutdown).then(
      () => this.repeat(call),
      (reason: unknown) => {
        again.onCut(reason);
        return this.ask(from, call, new Failure(reason), false);
      },
    );
  }
}
