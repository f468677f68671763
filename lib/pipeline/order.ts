/**
 * The order in which policies apply, outermost first, whatever the order of the decorators.
 *
 * Recover comes first, since nothing may escape it; what one call of `execute()` says of its refusals, or a scheduler for
 * want of a caller, goes before the fallback of its set; a fallback answers what all the others could not mend; the total
 * limit includes every attempt; equal calls share all their attempts, and each keeps its own limit; each attempt is judged by the breaker of its own; the breaker stands before whatever
 * waits, so that a refusal costs no wait, and so does the throttle, which counts only what the breaker lets through; and the slot of the bulkhead is the last thing taken.
 *
 * @see https://smallrye.io/docs/smallrye-fault-tolerance/6.9.0/howto/multiple.html MicroProfile's nesting, to which the
 * total limit is added
 */
export const ORDER = [
  'recover',
  'onRefused',
  'fallback',
  'timeout.total',
  'coalesce',
  'retry',
  'hedge',
  'circuitBreaker',
  'adaptiveThrottle',
  'rateLimit',
  'timeout.perAttempt',
  'bulkhead',
] as const;

/** A place in {@link ORDER}. */
export type Stage = (typeof ORDER)[number];
