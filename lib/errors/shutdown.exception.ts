import { ResilienceException, type ResilienceExceptionInit } from './resilience.exception.js';

/**
 * The app is shutting down: a call that still waited, for a slot or for its next attempt, was ended.
 *
 * Code `SHUTDOWN`, HTTP status 503.
 *
 * @publicApi
 */
export class ShutdownException extends ResilienceException {
  constructor(init: ResilienceExceptionInit) {
    super({ code: 'SHUTDOWN', status: 503, phrase: 'Service Unavailable' }, init);
  }
}
