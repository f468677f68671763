import { ResilienceException, type ResilienceExceptionInit } from './resilience.exception.js';

/**
 * The app is shutting down: a call that still waited, for a slot or for its next attempt, was ended; or the app has
 * shut down, and a call that still ran was cut.
 *
 * Code `SHUTDOWN`, HTTP status 503.
 *
 * @publicApi
 */
export class ShutdownException extends ResilienceException {
  /** Whether its method had begun. */
  readonly #running: boolean;

  constructor(init: ResilienceExceptionInit & { running?: boolean }) {
    super({ code: 'SHUTDOWN', status: 503, phrase: 'Service Unavailable' }, init);
    this.#running = init.running ?? false;
  }

  override get refusal(): boolean {
    return !this.#running;
  }
}
