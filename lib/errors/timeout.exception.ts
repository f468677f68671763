import { ResilienceException, type ResilienceExceptionInit } from './resilience.exception.js';

/**
 * The call was cut by its time limit.
 *
 * Code `TIMEOUT`, HTTP status 504.
 *
 * @publicApi
 */
export class TimeoutException extends ResilienceException {
  /** Whether the time ran out while the call still waited for its turn: then the method never began. */
  readonly queued: boolean;

  constructor(init: ResilienceExceptionInit & { queued?: boolean }) {
    super({ code: 'TIMEOUT', status: 504, phrase: 'Gateway Timeout' }, init);
    this.queued = init.queued ?? false;
  }

  override get refusal(): boolean {
    return this.queued;
  }
}
