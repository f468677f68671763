/**
 * Why a call is not made again:
 * - `maxAttempts`: so many are all that are allowed.
 * - `notRetried`: the last error is none that is repeated, unlike those before it.
 * - `deadline`, `maxDuration`: the time left, or allowed, does not reach.
 * - `retryAfter`: the dependency asked for a longer pause than `maxRetryAfter`.
 * - `budget`: the retry budget is used up.
 * - `notRepeatable`: the request may not be made twice, such as a POST.
 * - `streamBegun`: items were given out already.
 * - `callerRetries`: whoever sent the request makes it again (`X-Retry-Attempt`), so that only one layer does.
 * - `aborted`: the caller gave up.
 * - `shutdown`: the app is shutting down.
 */
export type NoMoreAttempts =
  | 'maxAttempts'
  | 'notRetried'
  | 'deadline'
  | 'maxDuration'
  | 'retryAfter'
  | 'budget'
  | 'notRepeatable'
  | 'streamBegun'
  | 'callerRetries'
  | 'aborted'
  | 'shutdown';
