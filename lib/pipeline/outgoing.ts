import type { Attempt } from '../kernel/attempt.js';
import { formatRequestTimeout, REQUEST_TIMEOUT_HEADER, RETRY_ATTEMPT_HEADER } from '../kernel/request-timeout.js';
import { outerCall } from './current-call.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { overFromOutside } from './incoming-call.js';

/** What the running call hands on to what it calls. */
export interface Outgoing {
  readonly signal: AbortSignal;
  /** Until nobody needs the answer, ms; Infinity if nothing bounds the call. */
  readonly timeLeft: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * To be thrown instead of an answer that failed: the time of a client from outside is over, which says nothing of the
   * dependency. Undefined: the answer counts.
   */
  instead(): Error | undefined;
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
    // The nearest layer that makes calls again says which attempt this is.
    if (one.course.target.retries || one.rare?.callerRetries === true)
      headers[RETRY_ATTEMPT_HEADER] ??= String(one.attempt);
  }
  const key = idempotencyKeyOf(attempt);
  if (key !== undefined) headers[IDEMPOTENCY_HEADER] = key;
  return { signal: attempt.signal, timeLeft, headers, instead: () => overFromOutside(attempt) };
}
