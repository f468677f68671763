import { DeadlineQueue } from '../../kernel/deadline-queue.js';
import { show } from '../../kernel/options/check.js';
import { judge } from '../../kernel/outcome/outcome.js';
import { FILTERED } from './attempt-outcome.js';
import type { BreakerCore } from './breaker-core.js';
import { FiredAction } from './fired-action.js';
import { JudgedAttempt } from './judged-attempt.js';
import { isOpossumBreaker } from './opossum.js';
import { REFUSED } from './permit.js';

type Answer = (...argsAndError: unknown[]) => unknown;

/** What is fired by hand under one breaker, and what answers in its place. */
export class FiredActions {
  #answer: Answer | undefined;
  /** Those under the breaker's own `timeout`. */
  #limited: DeadlineQueue | undefined;

  constructor(private readonly core: BreakerCore) {}

  /**
   * Lets `answer` stand in for what fails or is refused.
   *
   * @throws TypeError for what is neither a function nor a breaker that has an action of its own.
   */
  answerBy(answer: unknown): void {
    if (typeof answer === 'function') this.#answer = answer as Answer;
    // One of ours that is given another time to fire under has nothing of its own to run.
    else if (isOpossumBreaker(answer) && !('core' in answer)) this.#answer = (...args) => answer.fire(...args);
    else {
      const expected = 'expected a function, or a breaker that opossum has made with an action';
      throw new TypeError(`${this.core.name}, fallback: ${expected}; got ${show(answer)}`);
    }
  }

  async fire<A extends unknown[], R>(action: (...args: A) => R | PromiseLike<R>, args: A): Promise<R> {
    const { core } = this;
    const { machine, environment } = core;
    const since = environment.clock.now();
    if (core.isShutDown) throw core.refusal(since);
    core.tell('fire', args);
    if (machine.recorded === 'disabled') return action(...args);
    const weight = core.admit(since);
    if (weight === REFUSED) {
      if (!core.watchesOnly) return this.#standIn(core.refusal(since), args);
      core.lookOn(since);
    }
    const fired = new FiredAction(core.name, args, since, core.options.timeout);
    const judged = new JudgedAttempt(core, fired, machine.epoch, since, weight);
    let result: R;
    try {
      result = await fired.run(() => action(...args), this.#limit());
    } catch (error) {
      const filtered = judged.failed(error) === FILTERED;
      const { kind } = judge(error, fired.aborted, fired.reason);
      if (filtered || (kind !== 'failure' && kind !== 'refused')) throw error;
      return this.#standIn(error, args);
    }
    judged.succeeded(result);
    return result;
  }

  /** The options have changed. What runs under the old limit keeps it. */
  reconfigure(): void {
    this.#limited = undefined;
  }

  /** Nothing more is fired. What runs keeps its limit. */
  shutDown(): void {
    this.#limited?.dropIdleTimer();
  }

  #standIn<R>(error: unknown, args: readonly unknown[]): R {
    if (this.#answer === undefined) throw error;
    const answer = this.#answer(...args, error);
    this.core.fellBack(answer, error);
    return answer as R;
  }

  #limit(): DeadlineQueue | undefined {
    const { options, environment } = this.core;
    if (options.timeout === false) return undefined;
    return (this.#limited ??= new DeadlineQueue(options.timeout, environment.clock, environment.lifecycle));
  }
}
