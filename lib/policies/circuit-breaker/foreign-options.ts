import { OPOSSUM_OPTIONS_ELSEWHERE } from './opossum-options.js';

const OPENS =
  'errorThresholdPercentage, 0 to 100, is the share of failures that opens; trip: consecutiveFailures(n) counts them in a row';
const OPEN_FOR = 'resetTimeout is how long it stays open, ms';
const LEAST = 'volumeThreshold is how many calls must have been seen; of a countWindow() it is minimum';
const WINDOW =
  'rollingCountTimeout is how far back it looks, ms; trip: countWindow({ size, percentage }) looks at the last calls';
const SLOW = 'trip: slowCallRate({ slowerThan, percentage }) opens for slow calls';
const PROBES = 'halfOpenCalls is how many probes run in half-open';
const ANSWERED =
  'errorFilter names errors that count nowhere, answerOn those that are successes; all others are judged by their meaning';
const FALLBACK = '@Fallback, or fallback of a policy set, answers in its place';

/** Options of breakers of other libraries, opossum's included, and what is there instead. */
export const BREAKER_OPTIONS_ELSEWHERE: Readonly<Record<string, string>> = {
  ...OPOSSUM_OPTIONS_ELSEWHERE,
  slidingWindowSize: WINDOW,
  slidingWindowType: WINDOW,
  samplingDuration: WINDOW,
  rollingWindowInMilliseconds: WINDOW,
  rollingCountInterval: WINDOW,
  failureRateThreshold: OPENS,
  failureThreshold: OPENS,
  failureRatio: OPENS,
  threshold: OPENS,
  errorThreshold: OPENS,
  minimumNumberOfCalls: LEAST,
  minimumThroughput: LEAST,
  minimumRps: LEAST,
  requestVolumeThreshold: LEAST,
  waitDurationInOpenState: OPEN_FOR,
  halfOpenAfter: OPEN_FOR,
  breakDuration: OPEN_FOR,
  sleepWindowInMilliseconds: OPEN_FOR,
  sleepWindow: OPEN_FOR,
  openTimeout: OPEN_FOR,
  permittedNumberOfCallsInHalfOpenState: PROBES,
  maxWaitDurationInHalfOpenState: 'halfOpenMaxWait is how long a probe may take, ms',
  automaticTransitionFromOpenToHalfOpenEnabled: 'leave it out: the state goes by the clock',
  slowCallRateThreshold: SLOW,
  slowCallDurationThreshold: SLOW,
  ignoreExceptions: ANSWERED,
  recordExceptions: ANSWERED,
  ignoreExceptionPredicate: ANSWERED,
  recordFailurePredicate: ANSWERED,
  shouldHandle: ANSWERED,
  recordResultPredicate: 'isFailure says that a result is a failure',
  breaker: 'trip is when it opens: consecutiveFailures(n), failureRate(), countWindow()',
  timeoutInMilliseconds: 'timeout is the limit of each attempt, ms',
  fallbackMethod: FALLBACK,
  fallback: FALLBACK,
};
