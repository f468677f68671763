import { ResilienceException, type ResilienceExceptionInit } from './resilience.exception.js';

/**
 * The rate limit is used up, or the call's turn would come later than it can wait. `retryAfterMs` is the time to the next
 * free place.
 *
 * Code `RATE_LIMITED`, HTTP status 429.
 *
 * @publicApi
 */
export class RateLimitExceededException extends ResilienceException {
  constructor(init: ResilienceExceptionInit) {
    super({ code: 'RATE_LIMITED', status: 429, phrase: 'Too Many Requests' }, init);
  }
}
