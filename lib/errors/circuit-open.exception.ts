import { ResilienceException, type ResilienceExceptionInit } from './resilience.exception.js';

/**
 * The circuit breaker is open: the call was refused without a try. `retryAfterMs` is the time to the next probe.
 *
 * Code `CIRCUIT_OPEN`, HTTP status 503.
 *
 * @publicApi
 */
export class CircuitOpenException extends ResilienceException {
  constructor(init: ResilienceExceptionInit) {
    super({ code: 'CIRCUIT_OPEN', status: 503, phrase: 'Service Unavailable' }, init);
  }
}
