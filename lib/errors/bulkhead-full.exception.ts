import { ResilienceException, type ResilienceExceptionInit } from './resilience.exception.js';

/**
 * Every slot of the bulkhead is taken and the call could not wait for one, or waited in vain.
 *
 * Code `BULKHEAD_FULL`, HTTP status 503.
 *
 * @publicApi
 */
export class BulkheadFullException extends ResilienceException {
  constructor(init: ResilienceExceptionInit) {
    super({ code: 'BULKHEAD_FULL', status: 503, phrase: 'Service Unavailable' }, init);
  }
}
