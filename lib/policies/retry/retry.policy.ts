import { instanceOf } from '../../errors/foreign.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import { TimeoutException } from '../../errors/timeout.exception.js';
import type { RetrySuppressedEvent } from '../../events/resilience-event.js';
import type { Call, Next, Rescue } from '../../kernel/call.js';
import { aFunctionAnswer, ask, milliseconds, yesOrNo } from '../../kernel/ask.js';
import { toMatcher, type Matcher } from '../../kernel/error-match.js';
import { judge } from '../../kernel/outcome/outcome.js';
import type { Policy, PolicyEnvironment } from '../../kernel/policy.js';
import { rejection, rescued } from '../../kernel/rejection.js';
import type { RetryBudget } from '../../kernel/retry-budget/retry-budget.js';
import { retryAfterOf } from '../../kernel/retry-after.js';
import { startSeries, type BackoffFunction } from '../../kernel/backoff/backoff.js';
import { exponential } from '../../kernel/backoff/exponential.js';
import type { ResolvedRetry } from './retry.options.js';
import { pause } from './pause.js';

type SuppressedFor = RetrySuppressedEvent['reason'];

/** Makes a failed call again, each attempt as a call of its own inside the whole. */
export class RetryPolicy implements Policy {
  /** @internal */ readonly retryOn: Matcher | undefined;
  /** @internal */ readonly abortOn: Matcher | undefined;
  /** @internal */ readonly answerOn: Matcher | undefined;
  /** Whether a first attempt that succeeds matters, or when it began. */
  readonly #watchesAll: boolean;

  constructor(
    /** @internal */ readonly name: string,
    /** @internal */ readonly options: ResolvedRetry,
    /** @internal */ readonly environment: PolicyEnvironment,
    /** @internal */ readonly budget?: RetryBudget,
  ) {
    this.retryOn = options.retryOn === undefined ? undefined : toMatcher(options.retryOn);
    this.abortOn = options.abortOn === undefined ? undefined : toMatcher(options.abortOn);
    this.answerOn = options.answerOn === undefined ? undefined : toMatcher(options.answerOn);
    this.#watchesAll = options.maxDuration !== undefined || options.retryOnResult !== undefined;
  }

  execute(call: Call, next: Next): Promise<unknown> {
    return this.#execute(call, next, undefined);
  }

  executeWithRescue(call: Call, next: Next, rescue: Rescue): Promise<unknown> {
    return this.#watchesAll ? this.execute(call, next).then(undefined, rescue) : this.#execute(call, next, rescue);
  }

  #execute(call: Call, next: Next, rescue: Rescue | undefined): Promise<unknown> {
    // Most calls succeed at once: what a second attempt needs is made when the first has failed.
    const attempts = this.#watchesAll ? new Attempts(this, call, next) : undefined;
    const first = call.fork(1);
    const result = next(first);
    const { budget } = this;
    // What waits for its turn earns when it has had it.
    const owed = budget === undefined || earns(first, budget) ? undefined : budget;
    const onResult = attempts?.onResult(first);
    const onError = (error: unknown): unknown => {
      if (owed !== undefined) earns(first, owed);
      const answer = (attempts ?? new Attempts(this, call, next)).onError(first, error);
      return rescue === undefined ? answer : rescued(answer, rescue);
    };
    if (owed === undefined) return result.then(onResult, onError);
    return result.then((value) => (earns(first, owed), onResult === undefined ? value : onResult(value)), onError);
  }
}

function whyCut(reason: unknown): SuppressedFor {
  if (instanceOf(reason, ShutdownException)) return 'shutdown';
  return instanceOf(reason, TimeoutException) ? 'deadline' : 'aborted';
}

/** Pays for a first attempt that has begun: one that is refused puts no load on anybody. */
function earns(first: Call, budget: RetryBudget): boolean {
  if (first.startedAt === undefined) return false;
  budget.earn(first.startedAt);
  return true;
}

/** The attempts of one call. */
class Attempts {
  readonly #begun: number | undefined;
  #backoff: BackoffFunction | undefined;
  /** How many were made; hedges inside them have numbers too, but count for nothing here. */
  #made = 1;

  constructor(
    private readonly policy: RetryPolicy,
    private readonly call: Call,
    private readonly next: Next,
  ) {
    if (policy.options.maxDuration !== undefined) this.#begun = policy.environment.clock.now();
  }

  #make(number: number): Promise<unknown> {
    this.#made++;
    const attempt = this.call.fork(number);
    return this.next(attempt).then(this.onResult(attempt), (error: unknown) => {
      if (attempt.startedAt === undefined) this.policy.budget?.giveBack();
      return this.onError(attempt, error);
    });
  }

  onResult(attempt: Call): ((result: unknown) => unknown) | undefined {
    const { name, options, environment } = this.policy;
    if (options.retryOnResult === undefined) return undefined;
    return (result: unknown): unknown => {
      if (this.call.aborted) return result;
      const again = ask(environment, `${name}, retryOnResult`, yesOrNo, false, () =>
        options.retryOnResult?.(result, attempt),
      );
      if (!again) return result;
      const over = this.#over(attempt);
      if (over === undefined) return this.#again(attempt, undefined, result, () => result);
      if (this.#made > 1) this.#tell(over, attempt, undefined);
      return result;
    };
  }

  onError(attempt: Call, error: unknown): PromiseLike<unknown> {
    const over = this.#over(attempt) ?? (this.#asksForAnother(attempt, error) ? undefined : 'notRetried');
    if (over === undefined) {
      return this.#again(attempt, error, error, () => {
        throw error;
      });
    }
    // Of a call that was made once, and was not to be made again, there is nothing to say.
    if (this.#made > 1) this.#tell(over, attempt, error);
    return rejection(error);
  }

  /** Why nothing that the attempt ends with can bring about another; undefined: it may. */
  #over(attempt: Call): SuppressedFor | undefined {
    const { call } = this;
    if (call.aborted) return whyCut(call.reason);
    if (attempt.emitted) return 'streamBegun';
    return this.#made >= this.policy.options.maxAttempts ? 'maxAttempts' : undefined;
  }

  #tell(reason: SuppressedFor, { attempt }: Call, error: unknown): void {
    const { name, environment } = this.policy;
    const { events } = environment;
    if (!events.hearsChanges) return;
    events.emitChange({ type: 'retrySuppressed', name, policy: 'retry', attempt, attempts: this.#made, reason, error });
  }

  #asksForAnother(attempt: Call, error: unknown): boolean {
    const { name, environment, abortOn, answerOn, retryOn } = this.policy;
    if (abortOn !== undefined && ask(environment, `${name}, abortOn`, yesOrNo, false, () => abortOn(error, attempt)))
      return false;
    if (answerOn !== undefined && ask(environment, `${name}, answerOn`, yesOrNo, false, () => answerOn(error, attempt)))
      return false;
    const byDefault = judge(error, attempt.aborted, attempt.reason).repeatable;
    return retryOn === undefined
      ? byDefault
      : ask(environment, `${name}, retryOn`, yesOrNo, byDefault, () => retryOn(error, attempt));
  }

  /**
   * Pauses and makes the next attempt, or gives what the last one ended with.
   *
   * @param error undefined where it was a result.
   * @param end the error or the result.
   */
  async #again(attempt: Call, error: unknown, end: unknown, last: () => unknown): Promise<unknown> {
    const { name, options, environment } = this.policy;
    const { clock, events, lifecycle } = environment;
    const number = attempt.attempt;
    const suppress = (reason: SuppressedFor): unknown => {
      this.#tell(reason, attempt, error);
      return last();
    };
    if (this.call.repeatable?.() === false) return suppress('notRepeatable');

    const asked = retryAfterOf(end, clock);
    if (asked !== undefined && asked > options.maxRetryAfter) return suppress('retryAfter');
    const delayMs = Math.max(this.#delay(attempt, end), asked ?? 0);
    const now = clock.now();
    const next = now + delayMs;
    if (next >= this.call.deadline) return suppress('deadline');
    if (this.#begun !== undefined && next - this.#begun > (options.maxDuration as number))
      return suppress('maxDuration');
    if (lifecycle.closing) {
      this.#tell('shutdown', attempt, error);
      throw this.#shutDown(error);
    }
    if (this.policy.budget?.take(now) === false) return suppress('budget');

    if (events.active) {
      events.emit({
        type: 'retry',
        name,
        policy: 'retry',
        attempt: number,
        maxAttempts: options.maxAttempts,
        delayMs,
        error,
      });
    }
    try {
      if (delayMs > 0) await pause(delayMs, this.call, environment, () => this.#shutDown(error));
    } catch (reason) {
      this.policy.budget?.giveBack();
      this.#tell(whyCut(reason), attempt, error);
      throw reason;
    }
    return this.#make(number + 1);
  }

  #delay(attempt: Call, end: unknown): number {
    const { name, options, environment } = this.policy;
    const place = `${name}, backoff`;
    const byDefault = exponential().series(environment.random);
    const start = (): unknown => startSeries(options.backoff, environment.random);
    const backoff = (this.#backoff ??= ask(environment, place, aFunctionAnswer, byDefault, start));
    const delay = ask<number | undefined>(environment, place, milliseconds, undefined, () =>
      backoff(this.#made, end, attempt),
    );
    return delay ?? byDefault(this.#made, end, attempt);
  }

  #shutDown(cause: unknown): ShutdownException {
    const { name } = this.policy;
    const message = `${name} was not tried again: the app is shutting down`;
    return new ShutdownException({ policy: 'retry', instanceName: name, message, cause });
  }
}
