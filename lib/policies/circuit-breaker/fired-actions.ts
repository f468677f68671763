import { promiseOf } from '../../errors/foreign.js';
import { TimeoutException } from '../../errors/timeout.exception.js';
import { Attempt } from '../../kernel/attempt.js';
import type { Call } from '../../kernel/call.js';
import { DeadlineQueue } from '../../kernel/deadline-queue.js';
import { PASS, type Decision } from '../../kernel/decision.js';
import { show } from '../../kernel/options/check.js';
import type { Failure } from '../../kernel/outcome/failure.js';
import { observationOf } from '../../kernel/observation-of.js';
import { ObservedPipeline, observing } from '../../kernel/observed-pipeline.js';
import { Pipeline } from '../../kernel/pipeline.js';
import type { PipelineInit } from '../../kernel/pipeline-init.js';
import { rejected } from '../../kernel/rejection.js';
import { TimeLimit } from '../../kernel/time-limit.js';
import type { BreakerCore } from './breaker-core.js';
import { CircuitBreakerGuard } from './circuit-breaker.guard.js';
import { isOpossumBreaker } from './opossum.js';

type Answer = (...argsAndError: unknown[]) => unknown;
type Action = (...args: never[]) => unknown;

/** What is fired by hand under one breaker, and what answers in its place. It belongs to no method. */
export class FiredActions implements Decision {
  readonly answers = false;
  #answer: Answer | undefined;
  /** Those under the breaker's own `timeout`. */
  #limited: DeadlineQueue | undefined;
  #pipeline: Pipeline | undefined;
  /** That of calls which somebody observes. */
  #observed: Pipeline | undefined;

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

  /** @returns a rejection, which counts nowhere, for what is no function. */
  fire(action: Action, args: readonly unknown[]): Promise<unknown> {
    const { core } = this;
    if (typeof action !== 'function') return rejected(noAction(core.name, action));
    if (core.isShutDown) return rejected(core.refusal(core.environment.clock.now()));
    if (core.machine.recorded !== 'disabled') {
      const isObserved = core.environment.events.calls !== undefined;
      const pipeline = isObserved ? (this.#observed ??= this.#make(true)) : (this.#pipeline ??= this.#make(false));
      return pipeline.start(new Attempt(pipeline, undefined, args, { body: () => action(...(args as never[])) }));
    }
    core.tell('fire', args);
    return run(() => action(...(args as never[])));
  }

  /** What the answer stands in for: failures and refusals, but nothing that `errorFilter` takes out. */
  failed({ current, args }: Call, failure: Failure): unknown {
    if (this.#answer === undefined || current.rare?.filtered === true) return PASS;
    const { kind } = failure.judge(current.aborted, current.reason);
    if (kind !== 'failure' && kind !== 'refused') return PASS;
    observationOf(current)?.substituted();
    const answer = this.#answer(...args, failure.error);
    this.core.fellBack(answer, failure.error);
    return answer;
  }

  /** The options have changed. What runs under the old limit keeps it. */
  reconfigure(): void {
    this.#pipeline = this.#observed = this.#limited = undefined;
  }

  /** Nothing more is fired. What runs keeps its limit. */
  shutDown(): void {
    this.#limited?.dropIdleTimer();
  }

  #make(isObserved: boolean): Pipeline {
    const { core } = this;
    const { clock, lifecycle, events } = core.environment;
    const limit = this.#limit();
    const breaker = new CircuitBreakerGuard({ select: () => core });
    const init: PipelineInit = {
      target: {
        className: '',
        methodName: core.name,
        callName: core.name,
        retries: false,
        clock,
        lifecycle,
        callContext: false,
      },
      guards: limit === undefined ? [breaker] : [breaker, limit],
      decisions: [this],
      work: (attempt) => run(() => attempt.origin?.body?.(attempt)),
      endsEarly: true,
    };
    return isObserved ? new ObservedPipeline(observing(init), { events, kind: 'promise' }) : new Pipeline(init);
  }

  #limit(): TimeLimit | undefined {
    const { name, options, environment } = this.core;
    const { clock, lifecycle } = environment;
    const limitMs = options.timeout;
    if (limitMs === false) return undefined;
    const limited = (this.#limited ??= new DeadlineQueue(limitMs, clock, lifecycle));
    const message = `${name} gave no answer within ${limitMs} ms`;
    const expired = (): Error =>
      new TimeoutException({ policy: 'timeout', instanceName: name, message, details: { limitMs } });
    return new TimeLimit(limited, expired, () => clock.now());
  }
}

function run(action: () => unknown): Promise<unknown> {
  try {
    return promiseOf(action());
  } catch (error) {
    return rejected(error);
  }
}

function noAction(name: string, given: unknown): TypeError {
  const expected = 'fire() takes the action first, and then its arguments: expected a function';
  return new TypeError(`circuit breaker ${name}: ${expected}, got ${show(given)}`);
}
