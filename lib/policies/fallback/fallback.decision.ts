import { isRefusal } from '../../errors/resilience.exception.js';
import { instanceOf, isPromise } from '../../errors/foreign.js';
import { ask, yesOrNo } from '../../kernel/ask.js';
import { UnsubscribedError } from '../../kernel/call-info.js';
import type { Call } from '../../kernel/call.js';
import { PASS, type Decision } from '../../kernel/decision.js';
import { toMatcher, type Matcher } from '../../kernel/error-match.js';
import { isJudgedBad } from '../../kernel/judged-bad.js';
import type { Witness } from '../../kernel/making.js';
import { observationOf } from '../../kernel/observation-of.js';
import type { Failure } from '../../kernel/outcome/failure.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { toAnswer, type Answer } from '../../kernel/answer.js';
import type { DeclaredFallback } from './fallback.options.js';
import type { LastGood } from './last-good.js';
import type { LastAnswer } from './last-good.memory.js';
import { markStale } from '../../kernel/stale.js';
import type { OnlyItems } from './only-items.js';

interface Rule {
  readonly on: Matcher | undefined;
  readonly skipOn: Matcher | undefined;
  /** Undefined: the last good answer is given. */
  readonly answer: Answer | undefined;
  readonly lastGood: LastGood | undefined;
}

/** Answers in place of a call that failed or was refused. */
export class FallbackDecision implements Decision {
  readonly answers = true;
  /** Undefined where nothing is remembered: then no call is asked for its value. */
  readonly gave: Decision['gave'];
  readonly item: Decision['item'];
  readonly #rules: readonly Rule[];

  /** @param remembered of each fallback by the last good answer, at its place in the list. */
  constructor(
    private readonly name: string,
    fallbacks: readonly DeclaredFallback[],
    parameterCount: number,
    private readonly environment: PolicyEnvironment,
    /** Told of each answer. */
    private readonly witness?: Witness,
    remembered: readonly (LastGood | undefined)[] = [],
    /** Set where the method gives streams. */
    items?: OnlyItems,
  ) {
    this.#rules = fallbacks.map((declared, index) => ({
      on: declared.on === undefined ? undefined : toMatcher(declared.on),
      skipOn: declared.skipOn === undefined ? undefined : toMatcher(declared.skipOn),
      answer: declared.lastGood === undefined ? toAnswer(declared, parameterCount) : undefined,
      lastGood: remembered[index],
    }));
    const all = remembered.filter((one) => one !== undefined);
    if (all.length === 0) return;
    this.gave = (call, value) => {
      const given = items === undefined ? { value } : items.take(call);
      if (given !== undefined && !isJudgedBad(call)) for (const one of all) one.gave(call, given.value);
    };
    if (items !== undefined) this.item = (call, item) => items.add(call, item);
  }

  failed(call: Call, failure: Failure): unknown {
    // Whoever takes the one item and leaves, as firstValueFrom() does, has had the whole answer.
    if (instanceOf(failure.error, UnsubscribedError)) this.gave?.(call, undefined);
    // What one call says of its refusals goes before the fallback of its set.
    if (call.answersRefusals && isRefusal(failure.error)) return PASS;
    return this.#answerFrom(0, call, failure);
  }

  /** The answer of the first rule from `index` on that holds and has one. */
  #answerFrom(index: number, call: Call, failure: Failure): unknown {
    for (let at = index; at < this.#rules.length; at++) {
      const rule = this.#rules[at] as Rule;
      if (!this.#holds(rule, failure, call)) continue;
      if (rule.answer !== undefined) return this.#give(rule.answer, failure.error, call);
      // Of a stream that has begun, an older answer is no part.
      const found = call.current.rare?.emitted === true ? undefined : rule.lastGood?.find(call);
      if (isPromise(found)) return call.runs(this.#later(found, rule, at, call, failure));
      if (found !== undefined) return this.#giveLast(found, rule, failure.error, call);
    }
    return PASS;
  }

  /** What a store knows comes later; where that is nothing, the rules behind it answer. */
  async #later(
    found: Promise<LastAnswer | undefined>,
    rule: Rule,
    at: number,
    call: Call,
    failure: Failure,
  ): Promise<unknown> {
    const answer = await found;
    if (answer !== undefined) return this.#giveLast(answer, rule, failure.error, call);
    const next = this.#answerFrom(at + 1, call, failure);
    if (next === PASS) throw failure.error;
    return next;
  }

  #giveLast(answer: LastAnswer, { lastGood }: Rule, error: unknown, call: Call): unknown {
    const staleMs = lastGood?.ageOf(answer) ?? 0;
    markStale(call.current, staleMs);
    this.#tell(error, call, staleMs);
    this.witness?.fellBack(call, answer.value, error);
    return answer.value;
  }

  #give(answer: Answer, error: unknown, call: Call): unknown {
    this.#tell(error, call);
    const given = answer(error, call);
    this.witness?.fellBack(call, given, error);
    return isPromise(given) ? call.runs(given) : given;
  }

  #tell(error: unknown, call: Call, staleMs?: number): void {
    const { events } = this.environment;
    if (!events.active) return;
    const stale = staleMs === undefined ? {} : { staleMs };
    const body = { type: 'fallback', name: this.name, policy: 'fallback', error, ...stale } as const;
    events.emit(body, observationOf(call.current));
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
