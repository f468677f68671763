import { BulkheadFullException } from '../../errors/bulkhead-full.exception.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import { CircuitOpenException } from '../../errors/circuit-open.exception.js';
import { instanceOf } from '../../errors/foreign.js';
import { ask, yesOrNo } from '../../kernel/ask.js';
import { FasterAttemptError, type CallInfo } from '../../kernel/call.js';
import { isTimeout, judge } from '../../kernel/outcome/outcome.js';
import type { BreakerCore } from './breaker-core.js';
import type { Permit } from './permit.js';

/** An attempt that a breaker has let through, as far as its outcome depends on it. */
export interface Attempt extends CallInfo {
  readonly startedAt: number | undefined;
  readonly aborted: boolean;
  readonly reason: unknown;
  readonly emitted: boolean;
}

const LOST = 'a faster attempt answered';

/** Counts an attempt that gave a value. */
export function recordValue(breaker: BreakerCore, permit: Permit, attempt: Attempt, value: unknown): void {
  const { environment, options } = breaker;
  const now = environment.clock.now();
  const latencyMs = now - (attempt.startedAt ?? permit.since);
  const { isFailure } = options;
  if (
    isFailure !== undefined &&
    ask(environment, `${breaker.place}, isFailure`, yesOrNo, false, () => isFailure(value, attempt))
  ) {
    const error = new Error('the result was judged a failure');
    recordFailure(breaker, permit, now, latencyMs, error, false, attempt.args, value);
  } else {
    recordSuccess(breaker, permit, latencyMs, now, value);
  }
}

/** What an error means for a breaker. */
export type ErrorOutcome = 'success' | 'failure' | { readonly ignored: string };

/** An error that its `errorFilter` takes out of all counts. */
export const FILTERED: ErrorOutcome = { ignored: 'errorFilter' };

/** Counts an attempt that ended with an error, by what the error means; that is told. */
export function recordError(breaker: BreakerCore, permit: Permit, attempt: Attempt, error: unknown): ErrorOutcome {
  const now = breaker.environment.clock.now();
  const latencyMs = now - (attempt.startedAt ?? permit.since);
  const outcome = classify(breaker, attempt, error, latencyMs, now);
  if (outcome === 'success') recordSuccess(breaker, permit, latencyMs, now, error);
  else if (outcome === 'failure') {
    const timedOut = attempt.aborted || isTimeout(error);
    recordFailure(breaker, permit, now, latencyMs, error, timedOut, attempt.args);
  } else recordIgnored(breaker, permit, attempt, error, latencyMs, now, outcome.ignored);
  return outcome;
}

function recordIgnored(
  breaker: BreakerCore,
  permit: Permit,
  attempt: Attempt,
  error: unknown,
  latencyMs: number,
  now: number,
  reason: string,
): void {
  const { environment, name } = breaker;
  if (environment.events.active) {
    environment.events.emit({ type: 'ignored', name, policy: 'circuitBreaker', reason, error });
  }
  if (reason === LOST) return breaker.lost(permit, now, attempt.startedAt === undefined ? undefined : latencyMs);
  if (instanceOf(error, CircuitOpenException) && error.instanceName === name) breaker.machine.allowNested();
  breaker.ignored(permit, now, instanceOf(error, BulkheadFullException) ? error : undefined);
}

function recordSuccess(breaker: BreakerCore, permit: Permit, latencyMs: number, now: number, result: unknown): void {
  const { events } = breaker.environment;
  if (events.active) events.emit({ type: 'success', name: breaker.name, policy: 'circuitBreaker', latencyMs });
  breaker.succeeded(permit, latencyMs, now, result);
}

function recordFailure(
  breaker: BreakerCore,
  permit: Permit,
  now: number,
  latencyMs: number,
  error: unknown,
  timedOut: boolean,
  args: readonly unknown[],
  /** What may say how long the dependency asks to be left alone. */
  answer: unknown = error,
): void {
  const { events } = breaker.environment;
  if (events.active) events.emit({ type: 'failure', name: breaker.name, policy: 'circuitBreaker', latencyMs, error });
  breaker.failed(permit, now, { latencyMs, error, timedOut, answer, args });
}

/** What an error means for this breaker; the meaning of errors as such is in outcome.ts. */
function classify(breaker: BreakerCore, attempt: Attempt, error: unknown, ranMs: number, now: number): ErrorOutcome {
  const { environment, options } = breaker;
  const { kind } = judge(error, attempt.aborted, attempt.reason);
  if (kind === 'refused') return { ignored: 'refused by a policy inside' };
  if (attempt.aborted && instanceOf(attempt.reason, FasterAttemptError) && kind === 'aborted') return { ignored: LOST };
  if (attempt.startedAt === undefined && attempt.aborted) return { ignored: 'ended before the method began' };
  if (kind === 'aborted') {
    if (instanceOf(error, ShutdownException) || instanceOf(attempt.reason, ShutdownException))
      return { ignored: 'the app was shut down' };
    return attempt.emitted ? 'success' : { ignored: 'the caller gave up' };
  }
  const { errorFilter } = options;
  const filtered =
    errorFilter !== undefined &&
    ask(environment, `${breaker.place}, errorFilter`, yesOrNo, false, () => errorFilter(error, ...attempt.args));
  if (filtered) return FILTERED;
  if (kind === 'answered') return 'success';
  const { answers } = breaker;
  if (
    answers !== undefined &&
    ask(environment, `${breaker.place}, answerOn`, yesOrNo, false, () => answers(error, attempt))
  )
    return 'success';
  // A call cut sooner than successes take says nothing about the dependency, only about its time limit.
  if (!attempt.aborted || error !== attempt.reason) return 'failure';
  const mean = breaker.meanSuccessMsAt(now);
  if (mean === undefined || ranMs >= mean) return 'failure';
  return { ignored: `cut after ${Math.round(ranMs)} ms, successes take ${Math.round(mean)} ms` };
}
