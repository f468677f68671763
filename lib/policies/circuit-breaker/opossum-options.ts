const NO_CACHE = 'a breaker has no cache: keep answers with a cache of the app';
const COALESCE = '@Coalesce({ key }), or coalesce of a policy set, shares one run among equal calls';
const SIGNAL = 'each attempt has a signal of its own: take it by @Signal(), or as call.signal';
const SNAPSHOT = 'snapshot() and restore() carry a state from one breaker to another';
const NO_TIMERS = 'no timer turns the buckets';

/** opossum's options that a breaker does not have, and what is there instead. */
export const OPOSSUM_OPTIONS_ELSEWHERE: Readonly<Record<string, string>> = {
  name: 'the name stands before the options',
  maxFailures: 'trip: failureCount(n) opens after n failures in the window',
  capacity: '@Bulkhead(n), or bulkhead of a policy set, bounds how many calls run at once',
  cache: NO_CACHE,
  cacheTTL: NO_CACHE,
  cacheSize: NO_CACHE,
  cacheGetKey: NO_CACHE,
  cacheTransport: NO_CACHE,
  coalesce: COALESCE,
  coalesceTTL: COALESCE,
  coalesceSize: COALESCE,
  coalesceResetOn: COALESCE,
  abortController: SIGNAL,
  autoRenewAbortController: SIGNAL,
  enableSnapshots: `${NO_TIMERS}, and status tells 'snapshot' only while somebody listens`,
  rotateBucketController: NO_TIMERS,
  status: SNAPSHOT,
  state: SNAPSHOT,
};
