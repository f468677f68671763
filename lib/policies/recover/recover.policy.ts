import { isClientError } from '../../errors/client-error.js';
import { instanceOf, isObject, isThenable, promiseOf } from '../../errors/foreign.js';
import { toAnswer, type Answer } from '../../kernel/answer.js';
import { UnsubscribedError, type Call, type Next } from '../../kernel/call.js';
import { ask, yesOrNo } from '../../kernel/ask.js';
import { toMatcher, type Matcher } from '../../kernel/error-match.js';
import type { Policy, PolicyEnvironment } from '../../kernel/policy.js';
import type { RecoverOptions } from './recover.options.js';

/** What the guarded method is, as far as Recover must know. */
export interface RecoverTarget {
  parameterCount: number;
  /** On an HTTP handler an HttpException below 500 is an answer, not an accident. */
  http: boolean;
}

/** The outermost guard: logs what would escape and answers in its place. */
export class RecoverPolicy implements Policy {
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

  execute(call: Call, next: Next): Promise<unknown> {
    return next(call).then(undefined, (error: unknown) => {
      const answer = this.answer(error, call);
      // A promise is resolved with it, and that may fail as well.
      return isObject(answer) ? this.#awaited(answer, call) : answer;
    });
  }

  /** The answer in place of `error`; throws `error` itself where it is not meant to be caught. */
  answer(error: unknown, call: Call): unknown {
    if (!this.#catches(error, call)) throw error;
    const { events } = this.environment;
    if (this.#log) this.environment.logRecovered(this.name, error);
    if (events.active) events.emit({ type: 'recovered', name: this.name, policy: 'recover', error });
    try {
      const answer = this.#answer(error, call);
      return isThenable(answer) ? this.#awaited(answer, call) : answer;
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
