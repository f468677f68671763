import { BulkheadFullException } from '../../errors/bulkhead-full.exception.js';
import { CircuitOpenException } from '../../errors/circuit-open.exception.js';
import { instanceOf } from '../../errors/foreign.js';
import { ask, yesOrNo } from '../../kernel/ask.js';
import type { Attempt } from '../../kernel/attempt.js';
import { endOf, type AttemptEnd } from '../../kernel/attempt-end.js';
import { judgeBad } from '../../kernel/judged-bad.js';
import { observationOf } from '../../kernel/observation-of.js';
import type { Failure } from '../../kernel/outcome/failure.js';
import { isTimeout } from '../../kernel/outcome/outcome.js';
import type { BreakerCore } from './breaker-core.js';

/** Counts an attempt that gave a value. */
export function recordValue(breaker: BreakerCore, attempt: Attempt, value: unknown): void {
  const { environment, options } = breaker;
  const now = environment.clock.now();
  const latencyMs = now - (attempt.startedAt ?? attempt.since);
  const { isFailure } = options;
  const failed =
    isFailure !== undefined &&
    ask(environment, `${breaker.place}, isFailure`, yesOrNo, false, () => isFailure(value, attempt));
  if (failed) {
    judgeBad(attempt);
    recordFailure(breaker, attempt, now, latencyMs, new Error('the result was judged a failure'), false, value);
  } else recordSuccess(breaker, attempt, latencyMs, now, value);
}

/** What an error means for a breaker. */
type Meaning = 'success' | 'failure' | { readonly ignored: string };

const FILTERED: Meaning = { ignored: 'errorFilter' };
const LOST: Meaning = { ignored: 'a faster attempt answered' };

/** What it means whatever the options say; undefined: they have a word. */
const ANYHOW: Readonly<Record<AttemptEnd, Meaning | undefined>> = {
  refused: { ignored: 'refused by a policy inside' },
  lost: LOST,
  notBegun: { ignored: 'ended before the method began' },
  shutDown: { ignored: 'the app was shut down' },
  left: 'success',
  aborted: { ignored: 'the caller gave up' },
  answered: undefined,
  failure: undefined,
};

/** Counts an attempt that ended with an error, by what the error means. */
export function recordError(breaker: BreakerCore, attempt: Attempt, failure: Failure): void {
  const { error } = failure;
  const now = breaker.environment.clock.now();
  const latencyMs = now - (attempt.startedAt ?? attempt.since);
  const meaning = meaningOf(breaker, attempt, failure, latencyMs, now);
  if (meaning === 'success') {
    // Whoever observes the call would take the error for more.
    if (breaker.environment.events.active) observationOf(attempt)?.judged(attempt, 'success');
    recordSuccess(breaker, attempt, latencyMs, now, error);
  } else if (meaning === 'failure') {
    recordFailure(breaker, attempt, now, latencyMs, error, attempt.aborted || isTimeout(error), error);
  } else recordIgnored(breaker, attempt, error, latencyMs, now, meaning);
}

function recordIgnored(
  breaker: BreakerCore,
  attempt: Attempt,
  error: unknown,
  latencyMs: number,
  now: number,
  meaning: Exclude<Meaning, string>,
): void {
  const { environment, name } = breaker;
  if (environment.events.active) {
    environment.events.emit({ type: 'ignored', name, policy: 'circuitBreaker', reason: meaning.ignored, error });
    observationOf(attempt)?.judged(attempt, 'ignored');
  }
  if (meaning === FILTERED) attempt.rarely().filtered = true;
  if (meaning === LOST) return breaker.lost(attempt, now, attempt.startedAt === undefined ? undefined : latencyMs);
  if (instanceOf(error, CircuitOpenException) && error.instanceName === name) breaker.machine.allowNested();
  breaker.ignored(attempt, now, instanceOf(error, BulkheadFullException) ? error : undefined);
}

function recordSuccess(breaker: BreakerCore, attempt: Attempt, latencyMs: number, now: number, result: unknown): void {
  const { events } = breaker.environment;
  if (events.hasListeners) events.emit({ type: 'success', name: breaker.name, policy: 'circuitBreaker', latencyMs });
  breaker.succeeded(attempt, latencyMs, now, result);
}

function recordFailure(
  breaker: BreakerCore,
  attempt: Attempt,
  now: number,
  latencyMs: number,
  error: unknown,
  timedOut: boolean,
  /** What may say how long the dependency asks to be left alone. */
  answer: unknown,
): void {
  const { events } = breaker.environment;
  if (events.active) {
    events.emit({ type: 'failure', name: breaker.name, policy: 'circuitBreaker', latencyMs, error });
    observationOf(attempt)?.judged(attempt, 'failure');
  }
  breaker.failed(attempt, now, { latencyMs, error, timedOut, answer, args: attempt.args });
}

/** What an error means for this breaker; the meaning of errors as such is in outcome.ts, of ends in attempt-end.ts. */
function meaningOf(breaker: BreakerCore, attempt: Attempt, failure: Failure, ranMs: number, now: number): Meaning {
  const end = endOf(attempt, failure);
  const anyhow = ANYHOW[end];
  if (anyhow !== undefined) return anyhow;
  const { environment, options } = breaker;
  const { error } = failure;
  const { aborted, reason } = attempt;
  const { errorFilter } = options;
  const filtered =
    errorFilter !== undefined &&
    ask(environment, `${breaker.place}, errorFilter`, yesOrNo, false, () => errorFilter(error, ...attempt.args));
  if (filtered) return FILTERED;
  if (end === 'answered') return 'success';
  const { answers } = breaker;
  if (
    answers !== undefined &&
    ask(environment, `${breaker.place}, answerOn`, yesOrNo, false, () => answers(error, attempt))
  )
    return 'success';
  // A call cut sooner than successes take says nothing about the dependency, only about its time limit.
  if (!aborted || error !== reason) return 'failure';
  const mean = breaker.meanSuccessMsAt(now);
  if (mean === undefined || ranMs >= mean) return 'failure';
  return { ignored: `cut after ${Math.round(ranMs)} ms, successes take ${Math.round(mean)} ms` };
}
