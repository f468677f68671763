const LIMIT = 'limit is how much may begin in the time of per';
const PER = 'per is the time of the limit, ms';
const WAIT = "onLimit: 'queue' lets calls wait for their turn, and maxWait bounds the wait, ms";

/** Options of rate limits of other libraries, and what is there instead. */
export const RATE_LIMIT_OPTIONS_ELSEWHERE: Readonly<Record<string, string>> = {
  limitForPeriod: LIMIT,
  permitLimit: LIMIT,
  points: LIMIT,
  max: LIMIT,
  maxRequests: LIMIT,
  tokensPerInterval: LIMIT,
  limitRefreshPeriod: PER,
  ttl: PER,
  window: PER,
  windowMs: PER,
  duration: PER,
  interval: PER,
  timeWindow: PER,
  timeoutDuration: WAIT,
  queueLimit: WAIT,
  maxQueue: WAIT,
  queue: WAIT,
  blockDuration: 'a call is refused until its turn comes; nothing blocks for longer',
  keyGenerator: 'key(...args) gives the key of a call: one limit each',
  getTracker: 'key(...args) gives the key of a call: one limit each',
  fallbackMethod: '@Fallback, or fallback of a policy set, answers for a call that is refused',
};
