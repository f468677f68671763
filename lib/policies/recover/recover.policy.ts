import { isClientError } from '../../errors/client-error.js';
import { toAnswer, type Answer } from '../answer.js';
import { isThenable } from '../thenable.js';
import { UnsubscribedError, type Call, type Next } from '../call.js';
import { toPredicate, type ErrorPredicate } from '../error-match.js';
import { ask, type Policy, type PolicyEnvironment } from '../policy.js';
import type { RecoverOptions } from './recover.options.js';

/** What the guarded method is, as far as Recover must know. */
export interface RecoverTarget {
  parameterCount: number;
  /** On an HTTP handler an HttpException below 500 is an answer, not an accident. */
  http: boolean;
}

/** The outermost guard: logs what would escape and answers in its place. */
export class RecoverPolicy implements Policy {
  readonly #on: ErrorPredicate | undefined;
  readonly #answer: Answer;
  readonly #log: boolean;

  constructor(
    private readonly name: string,
    options: RecoverOptions,
    private readonly target: RecoverTarget,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#on = options.on === undefined ? undefined : toPredicate(options.on);
    this.#answer = toAnswer(options, target.parameterCount);
    this.#log = options.log ?? true;
  }

  execute(call: Call, next: Next): Promise<unknown> {
    return next(call).then(undefined, (error: unknown) => this.answer(error, call));
  }

  /** The answer in place of `error`; throws `error` itself where it is not meant to be caught. */
  answer(error: unknown, call: Call): unknown {
    if (!this.#catches(error, call)) throw error;
    const { events } = this.environment;
    if (this.#log) this.environment.logRecovered(this.name, error);
    if (events.active) events.emit({ type: 'recovered', name: this.name, policy: 'recover', error });
    try {
      const answer = this.#answer(error, call);
      return isThenable(answer) ? Promise.resolve(answer).catch((failure: unknown) => this.#giveUp(failure)) : answer;
    } catch (failure) {
      return this.#giveUp(failure);
    }
  }

  #catches(error: unknown, call: Call): boolean {
    if (error instanceof UnsubscribedError) return false;
    const on = this.#on;
    const byDefault = !(this.target.http && isClientError(error));
    return on === undefined
      ? byDefault
      : ask(this.environment, `${this.name}, recover on`, byDefault, () => on(error, call));
  }

  /** The handler failed as well: nothing escapes all the same. */
  #giveUp(failure: unknown): undefined {
    this.environment.logRecovered(`${this.name}, the handler of @Recover`, failure);
    return undefined;
  }
}
