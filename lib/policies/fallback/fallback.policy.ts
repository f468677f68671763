import { isRefusal } from '../../errors/resilience.exception.js';
import { isPromise } from '../../errors/foreign.js';
import type { Call, Next, Rescue } from '../../kernel/call.js';
import { ask, yesOrNo } from '../../kernel/ask.js';
import { toMatcher, type Matcher } from '../../kernel/error-match.js';
import { judge } from '../../kernel/outcome/outcome.js';
import type { Policy, PolicyEnvironment } from '../../kernel/policy.js';
import { rejection } from '../../kernel/rejection.js';
import { toAnswer, type Answer } from '../../kernel/answer.js';
import type { DeclaredFallback } from './fallback.options.js';

interface Rule {
  readonly on: Matcher | undefined;
  readonly skipOn: Matcher | undefined;
  readonly answer: Answer;
}

/** Wants to know of each answer: the breaker of the method, which counts them. */
export interface FallbackWitness {
  fellBack(call: Call, answer: unknown, error: unknown): void;
}

/** Answers in place of a call that failed or was refused. */
export class FallbackPolicy implements Policy {
  readonly #rules: readonly Rule[];
  /** Told of each answer. */
  witness: FallbackWitness | undefined = undefined;

  constructor(
    private readonly name: string,
    fallbacks: readonly DeclaredFallback[],
    parameterCount: number,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#rules = fallbacks.map((declared) => ({
      on: declared.on === undefined ? undefined : toMatcher(declared.on),
      skipOn: declared.skipOn === undefined ? undefined : toMatcher(declared.skipOn),
      answer: toAnswer(declared, parameterCount),
    }));
  }

  execute(call: Call, next: Next): Promise<unknown> {
    const rescue: Rescue = (error) => {
      const rule = this.#ruleFor(error, call);
      return rule === undefined ? rejection(error) : this.#give(rule, error, call);
    };
    return next.rescued?.(call, rescue) ?? next(call).then(undefined, rescue);
  }

  /** The substitute answer; throws `error` itself where no fallback is meant for it. */
  answer(error: unknown, call: Call): unknown {
    const rule = this.#ruleFor(error, call);
    if (rule === undefined) throw error;
    return this.#give(rule, error, call);
  }

  #ruleFor(error: unknown, call: Call): Rule | undefined {
    if (call.answersRefusals === true && isRefusal(error)) return undefined;
    return this.#rules.find((one) => this.#holds(one, error, call));
  }

  #give({ answer }: Rule, error: unknown, call: Call): unknown {
    const { events } = this.environment;
    if (events.active) events.emit({ type: 'fallback', name: this.name, policy: 'fallback', error });
    const given = answer(error, call);
    this.witness?.fellBack(call, given, error);
    return isPromise(given) ? call.runs(given) : given;
  }

  #holds({ on, skipOn }: Rule, error: unknown, call: Call): boolean {
    const { kind } = judge(error, call.aborted, call.reason);
    const byDefault = kind === 'failure' || kind === 'refused';
    const wanted =
      on === undefined
        ? byDefault
        : ask(this.environment, `${this.name}, fallback on`, yesOrNo, byDefault, () => on(error, call));
    if (!wanted || skipOn === undefined) return wanted;
    return !ask(this.environment, `${this.name}, fallback skipOn`, yesOrNo, false, () => skipOn(error, call));
  }
}
