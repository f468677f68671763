import { isClientError } from '../../errors/client-error.js';
import { instanceOf, isObject, isThenable, promiseOf } from '../../errors/foreign.js';
import { toAnswer, type Answer } from '../../kernel/answer.js';
import { ask, yesOrNo } from '../../kernel/ask.js';
import { UnsubscribedError } from '../../kernel/call-info.js';
import type { Call } from '../../kernel/call.js';
import { PASS, type Decision } from '../../kernel/decision.js';
import { toMatcher, type Matcher } from '../../kernel/error-match.js';
import { observationOf } from '../../kernel/observation-of.js';
import type { Failure } from '../../kernel/outcome/failure.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { RecoverOptions } from './recover.options.js';

/** What the guarded method is, as far as Recover must know. */
export interface RecoverTarget {
  parameterCount: number;
  /** On an HTTP handler an HttpException below 500 is an answer, not an accident. */
  http: boolean;
}

/** The outermost guard: logs what would escape and answers in its place. */
export class RecoverDecision implements Decision {
  readonly answers = true;
  readonly #on: Matcher | undefined;
  readonly #answer: Answer;
  readonly #log: boolean;

  constructor(
    private readonly name: string,
    options: RecoverOptions,
    private readonly target: RecoverTarget,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#on = options.on === undefined ? undefined : toMatcher(options.on);
    this.#answer = toAnswer(options, target.parameterCount);
    this.#log = options.log ?? true;
  }

  failed(call: Call, { error }: Failure, atOnce: boolean): unknown {
    if (!this.#catches(error, call)) return PASS;
    const { events } = this.environment;
    if (this.#log) this.environment.logRecovered(this.name, error);
    if (events.active) {
      const body = { type: 'recovered', name: this.name, policy: 'recover', error } as const;
      events.emit(body, observationOf(call.current));
    }
    try {
      const answer = this.#answer(error, call);
      // A promise is resolved with what is not given at once, and that may fail as well.
      const comesLater = atOnce ? isThenable(answer) : isObject(answer);
      return comesLater ? this.#awaited(answer, call) : answer;
    } catch (failure) {
      return this.#giveUp(failure);
    }
  }

  #catches(error: unknown, call: Call): boolean {
    if (instanceOf(error, UnsubscribedError)) return false;
    const on = this.#on;
    const byDefault = !(this.target.http && isClientError(error));
    return on === undefined
      ? byDefault
      : ask(this.environment, `${this.name}, recover on`, yesOrNo, byDefault, () => on(error, call));
  }

  #awaited(answer: unknown, call: Call): Promise<unknown> {
    return call.runs(promiseOf(answer)).then(undefined, (failure: unknown) => this.#giveUp(failure));
  }

  /** The handler failed as well: nothing escapes all the same. */
  #giveUp(failure: unknown): undefined {
    this.environment.logRecovered(`${this.name}, the handler of @Recover`, failure);
    return undefined;
  }
}
