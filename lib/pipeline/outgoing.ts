import type { Attempt } from '../kernel/attempt.js';
import { callOf } from '../kernel/call.js';
import { formatRequestTimeout, REQUEST_TIMEOUT_HEADER, RETRY_ATTEMPT_HEADER } from '../kernel/request-timeout.js';
import { outerCall } from './current-call.js';

/** What the running call hands on to what it calls. */
export interface Outgoing {
  readonly signal: AbortSignal;
  /** Until nobody needs the answer, ms; Infinity if nothing bounds the call. */
  readonly timeLeft: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** By this header a dependency knows a repetition. */
export const IDEMPOTENCY_HEADER = 'idempotency-key';

/** What the running call hands on; undefined: no guarded call runs here, or `callContext` is off. */
export function outgoing(): Outgoing | undefined {
  const attempt = outerCall();
  if (attempt === undefined) return undefined;
  const headers: Record<string, string> = {};
  const timeLeft = attempt.deadline - attempt.course.target.clock.now();
  if (timeLeft !== Infinity) headers[REQUEST_TIMEOUT_HEADER] = formatRequestTimeout(timeLeft);
  for (let one: Attempt | undefined = attempt; one !== undefined; one = one.outer) {
    const { retries, idempotencyKey } = one.course.target;
    // The nearest layer that makes calls again says which attempt this is.
    if (retries || one.rare?.callerRetries === true) headers[RETRY_ATTEMPT_HEADER] ??= String(one.attempt);
    if (idempotencyKey !== undefined) headers[IDEMPOTENCY_HEADER] ??= keyOf(one, idempotencyKey);
  }
  return { signal: attempt.signal, timeLeft, headers };
}

/** The same for all attempts of a call. */
function keyOf(attempt: Attempt, make: (args: readonly unknown[]) => string): string {
  const call = callOf(attempt);
  return (call.idempotencyKey ??= make(attempt.args));
}
