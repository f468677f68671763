import { ResilienceException, type ResilienceExceptionInit } from './resilience.exception.js';

/**
 * The dependency has refused or failed so many calls that a part of them is refused before they are sent.
 *
 * Code `CALL_THROTTLED`, HTTP status 503.
 *
 * @publicApi
 */
export class CallThrottledException extends ResilienceException {
  constructor(init: ResilienceExceptionInit) {
    super({ code: 'CALL_THROTTLED', status: 503, phrase: 'Service Unavailable' }, init);
  }
}
