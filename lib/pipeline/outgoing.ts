import type { Attempt } from '../kernel/attempt.js';
import { callOf } from '../kernel/call.js';
import { formatRequestTimeout, REQUEST_TIMEOUT_HEADER, RETRY_ATTEMPT_HEADER } from '../kernel/request-timeout.js';
import { outerCall } from './current-call.js';
import { overFromOutside } from './incoming-call.js';

/** What the running call hands on to what it calls. */
export interface Outgoing {
  readonly signal: AbortSignal;
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
  const due = attempt.deadline;
  if (due !== Infinity) headers[REQUEST_TIMEOUT_HEADER] = formatRequestTimeout(due - attempt.course.target.clock.now());
  for (let one: Attempt | undefined = attempt; one !== undefined; one = one.outer) {
    const { retries, idempotencyKey } = one.course.target;
    // The nearest layer that makes calls again says which attempt this is.
    if (retries || one.rare?.callerRetries === true) headers[RETRY_ATTEMPT_HEADER] ??= String(one.attempt);
    if (idempotencyKey !== undefined) headers[IDEMPOTENCY_HEADER] ??= keyOf(one, idempotencyKey);
  }
  return { signal: attempt.signal, headers, instead: () => overFromOutside(attempt) };
}

/** The same for all attempts of a call. */
function keyOf(attempt: Attempt, make: (args: readonly unknown[]) => string): string {
  const call = callOf(attempt);
  return (call.idempotencyKey ??= make(attempt.args));
}
