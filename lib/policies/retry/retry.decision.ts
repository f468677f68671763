import { instanceOf } from '../../errors/foreign.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import { TimeoutException } from '../../errors/timeout.exception.js';
import type { RetrySuppressedEvent } from '../../events/resilience-event.js';
import { aFunctionAnswer, ask, milliseconds, yesOrNo } from '../../kernel/ask.js';
import type { Attempt } from '../../kernel/attempt.js';
import type { Call } from '../../kernel/call.js';
import { Again, PASS, type Decision } from '../../kernel/decision.js';
import { toMatcher, type Matcher } from '../../kernel/error-match.js';
import { judgeBad } from '../../kernel/judged-bad.js';
import { observationOf } from '../../kernel/observation-of.js';
import type { Failure } from '../../kernel/outcome/failure.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { rejection } from '../../kernel/rejection.js';
import { retryAfterOf } from '../../kernel/retry-after.js';
import type { RetryBudget } from '../../kernel/retry-budget/retry-budget.js';
import { startSeries, type BackoffFunction } from '../../kernel/backoff/backoff.js';
import { exponential } from '../../kernel/backoff/exponential.js';
import type { ResolvedRetry } from './retry.options.js';

type SuppressedFor = RetrySuppressedEvent['reason'];

/** What the retries of one call remember. */
class Series {
  backoff: BackoffFunction | undefined = undefined;

  /** @param begunAt when the first attempt came. */
  constructor(readonly begunAt: number) {}
}

/** Makes a failed call again, each attempt as one of its own. */
export class RetryDecision implements Decision {
  readonly answers = false;
  readonly #retryOn: Matcher | undefined;
  readonly #abortOn: Matcher | undefined;
  readonly #answerOn: Matcher | undefined;

  constructor(
    private readonly name: string,
    private readonly options: ResolvedRetry,
    private readonly environment: PolicyEnvironment,
    readonly budget?: RetryBudget,
  ) {
    this.#retryOn = options.retryOn === undefined ? undefined : toMatcher(options.retryOn);
    this.#abortOn = options.abortOn === undefined ? undefined : toMatcher(options.abortOn);
    this.#answerOn = options.answerOn === undefined ? undefined : toMatcher(options.answerOn);
  }

  /** Whether a value can ask for another attempt. */
  get judgesResults(): boolean {
    return this.options.retryOnResult !== undefined;
  }

  succeeded(call: Call, result: unknown): unknown {
    if (call.stopped) return result;
    const { name, options, environment } = this;
    const again = ask(environment, `${name}, retryOnResult`, yesOrNo, false, () =>
      options.retryOnResult?.(result, call.current),
    );
    if (!again) return result;
    judgeBad(call.current);
    const over = this.#over(call);
    if (over === undefined) return this.#again(call, undefined, result, () => result);
    if (call.made > 1) this.#tell(over, call, undefined);
    return result;
  }

  failed(call: Call, failure: Failure): unknown {
    const { error } = failure;
    if (call.made > 1 && call.current.startedAt === undefined) this.budget?.giveBack();
    const over = this.#over(call) ?? (this.#asksForAnother(call.current, failure) ? undefined : 'notRetried');
    if (over === undefined) return this.#again(call, error, error, () => PASS);
    // Of a call that was made once, and was not to be made again, there is nothing to say.
    if (call.made > 1) this.#tell(over, call, error);
    return PASS;
  }

  /** Why nothing that an attempt ends with can bring about another; undefined: it may. */
  #over(call: Call): SuppressedFor | undefined {
    if (call.stopped) return whyCut(call.stopReason);
    if (call.current.rare?.emitted === true) return 'streamBegun';
    if (callerRetries(call.current)) return 'callerRetries';
    return call.made >= this.options.maxAttempts ? 'maxAttempts' : undefined;
  }

  #tell(reason: SuppressedFor, { attempt, made, current }: Call, error: unknown): void {
    const { events } = this.environment;
    if (!events.hearsChanges) return;
    const { name } = this;
    const body = { type: 'retrySuppressed', name, policy: 'retry', attempt, attempts: made, reason, error } as const;
    events.emitChange(body, observationOf(current));
  }

  #asksForAnother(attempt: Attempt, failure: Failure): boolean {
    const { name, environment } = this;
    const { error } = failure;
    const abortOn = this.#abortOn;
    if (abortOn !== undefined && ask(environment, `${name}, abortOn`, yesOrNo, false, () => abortOn(error, attempt)))
      return false;
    const answerOn = this.#answerOn;
    if (answerOn !== undefined && ask(environment, `${name}, answerOn`, yesOrNo, false, () => answerOn(error, attempt)))
      return false;
    const byDefault = failure.judge(attempt.aborted, attempt.reason).repeatable;
    const retryOn = this.#retryOn;
    return retryOn === undefined
      ? byDefault
      : ask(environment, `${name}, retryOn`, yesOrNo, byDefault, () => retryOn(error, attempt));
  }

  /**
   * Says how long to pause before the next attempt, or gives `last()`.
   *
   * @param error undefined where it was a result.
   * @param end the error or the result.
   */
  #again(call: Call, error: unknown, end: unknown, last: () => unknown): unknown {
    const { name, options, environment, budget } = this;
    const { clock, events, lifecycle } = environment;
    const suppress = (reason: SuppressedFor): unknown => {
      this.#tell(reason, call, error);
      return last();
    };
    if (call.origin?.repeatable?.() === false) return suppress('notRepeatable');

    const series = seriesOf(call);
    const asked = retryAfterOf(end, clock);
    if (asked !== undefined && asked > options.maxRetryAfter) return suppress('retryAfter');
    const delayMs = Math.max(this.#delay(call, series, end), asked ?? 0);
    const now = clock.now();
    const next = now + delayMs;
    if (next >= call.deadline) return suppress('deadline');
    if (options.maxDuration !== undefined && next - series.begunAt > options.maxDuration)
      return suppress('maxDuration');
    if (lifecycle.closing) {
      this.#tell('shutdown', call, error);
      return rejection(this.#shutDown(error));
    }
    if (budget?.take(now) === false) return suppress('budget');
    if (events.active) {
      const { attempt, current } = call;
      const { maxAttempts } = options;
      const body = { type: 'retry', name, policy: 'retry', attempt, maxAttempts, delayMs, error } as const;
      events.emit(body, observationOf(current));
    }
    const onCut = (reason: unknown): void => {
      budget?.giveBack();
      this.#tell(whyCut(reason), call, error);
    };
    return new Again(delayMs, onCut, () => this.#shutDown(error));
  }

  #delay(call: Call, series: Series, end: unknown): number {
    const { name, options, environment } = this;
    const { current, made } = call;
    const place = `${name}, backoff`;
    const byDefault = exponential().series(environment.random);
    const start = (): unknown => startSeries(options.backoff, environment.random);
    const backoff = (series.backoff ??= ask(environment, place, aFunctionAnswer, byDefault, start));
    const delay = ask<number | undefined>(environment, place, milliseconds, undefined, () =>
      backoff(made, end, current),
    );
    return delay ?? byDefault(made, end, current);
  }

  #shutDown(cause: unknown): ShutdownException {
    const { name } = this;
    const message = `${name} was not tried again: the app is shutting down`;
    return new ShutdownException({ policy: 'retry', instanceName: name, message, cause });
  }
}

function seriesOf(call: Call): Series {
  return (call.series ??= new Series(call.current.since)) as Series;
}

/** Whether what came in from outside, around an attempt, is made again by whoever sent it. */
function callerRetries(attempt: Attempt): boolean {
  for (let { outer } = attempt; outer !== undefined; outer = outer.outer)
    if (outer.rare?.callerRetries === true) return true;
  return false;
}

function whyCut(reason: unknown): SuppressedFor {
  if (instanceOf(reason, ShutdownException)) return 'shutdown';
  return instanceOf(reason, TimeoutException) ? 'deadline' : 'aborted';
}
