const LIMIT = 'perAttempt bounds each attempt, total the whole call, ms';

/** Options of time limits of other libraries, and what is there instead. */
export const TIMEOUT_OPTIONS_ELSEWHERE: Readonly<Record<string, string>> = {
  timeoutDuration: LIMIT,
  timeout: LIMIT,
  duration: LIMIT,
  ms: LIMIT,
  timeoutInMilliseconds: LIMIT,
  milliseconds: LIMIT,
  strategy: '@Signal() hands the method a signal that aborts; the caller is told at once all the same',
  cancelRunningFuture: '@Signal() hands the method a signal that aborts',
  fallbackMethod: '@Fallback, or fallback of a policy set, answers for a call that took too long',
};
