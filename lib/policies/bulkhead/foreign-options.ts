const AT_ONCE = 'maxConcurrent is how many run at once';
const WAIT = 'maxQueue is how many may wait, and maxWait bounds the wait, ms';

/** Options of bulkheads of other libraries, and what is there instead. */
export const BULKHEAD_OPTIONS_ELSEWHERE: Readonly<Record<string, string>> = {
  maxConcurrentCalls: AT_ONCE,
  permitLimit: AT_ONCE,
  limit: AT_ONCE,
  capacity: AT_ONCE,
  concurrency: AT_ONCE,
  executionSlots: AT_ONCE,
  maxThreadPoolSize: AT_ONCE,
  coreThreadPoolSize: AT_ONCE,
  maxWaitDuration: WAIT,
  queueLimit: WAIT,
  queueCapacity: WAIT,
  queueSlots: WAIT,
  queue: WAIT,
  queueSize: WAIT,
  fallbackMethod: '@Fallback, or fallback of a policy set, answers for a call that is refused',
};
