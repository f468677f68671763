import { isRefusal } from '../../errors/resilience.exception.js';
import { isPromise } from '../../errors/foreign.js';
import { ask, yesOrNo } from '../../kernel/ask.js';
import type { Call } from '../../kernel/call.js';
import { PASS, type Decision } from '../../kernel/decision.js';
import { toMatcher, type Matcher } from '../../kernel/error-match.js';
import type { Witness } from '../../kernel/making.js';
import { observationOf } from '../../kernel/observation-of.js';
import type { Failure } from '../../kernel/outcome/failure.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { toAnswer, type Answer } from '../../kernel/answer.js';
import type { DeclaredFallback } from './fallback.options.js';

interface Rule {
  readonly on: Matcher | undefined;
  readonly skipOn: Matcher | undefined;
  readonly answer: Answer;
}

/** Answers in place of a call that failed or was refused. */
export class FallbackDecision implements Decision {
  readonly answers = true;
  readonly #rules: readonly Rule[];

  constructor(
    private readonly name: string,
    fallbacks: readonly DeclaredFallback[],
    parameterCount: number,
    private readonly environment: PolicyEnvironment,
    /** Told of each answer. */
    private readonly witness?: Witness,
  ) {
    this.#rules = fallbacks.map((declared) => ({
      on: declared.on === undefined ? undefined : toMatcher(declared.on),
      skipOn: declared.skipOn === undefined ? undefined : toMatcher(declared.skipOn),
      answer: toAnswer(declared, parameterCount),
    }));
  }

  failed(call: Call, failure: Failure): unknown {
    // What one call says of its refusals goes before the fallback of its set.
    if (call.answersRefusals && isRefusal(failure.error)) return PASS;
    const rule = this.#rules.find((one) => this.#holds(one, failure, call));
    return rule === undefined ? PASS : this.#give(rule, failure.error, call);
  }

  #give({ answer }: Rule, error: unknown, call: Call): unknown {
    const { events } = this.environment;
    if (events.active) {
      const body = { type: 'fallback', name: this.name, policy: 'fallback', error } as const;
      events.emit(body, observationOf(call.current));
    }
    const given = answer(error, call);
    this.witness?.fellBack(call, given, error);
    return isPromise(given) ? call.runs(given) : given;
  }

  #holds({ on, skipOn }: Rule, failure: Failure, call: Call): boolean {
    const { error } = failure;
    const { kind } = failure.judge(call.aborted, call.reason);
    const byDefault = kind === 'failure' || kind === 'refused';
    const wanted =
      on === undefined
        ? byDefault
        : ask(this.environment, `${this.name}, fallback on`, yesOrNo, byDefault, () => on(error, call));
    if (!wanted || skipOn === undefined) return wanted;
    return !ask(this.environment, `${this.name}, fallback skipOn`, yesOrNo, false, () => skipOn(error, call));
  }
}
