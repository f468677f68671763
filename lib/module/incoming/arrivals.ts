import type { IncomingMessage, Server } from 'node:http';
import type { Clock } from '../../kernel/clock.js';
import { REQUEST_TIMEOUT_HEADER } from '../../kernel/request-timeout.js';

/**
 * When requests came that bring a time limit. Their handlers begin later: the body may take long to come, and what stands
 * before a handler may wait.
 */
export class Arrivals {
  readonly #at = new WeakMap<object, number>();

  constructor(private readonly clock: Clock) {}

  /** @returns a function that lets go of the server. */
  watch(server: Server): () => void {
    const note = (request: IncomingMessage): void => {
      if (request.headers[REQUEST_TIMEOUT_HEADER] !== undefined) this.#at.set(request, this.clock.now());
    };
    server.prependListener('request', note);
    return () => void server.off('request', note);
  }

  /** On the monotonic clock; undefined: nobody has seen it come. */
  of(request: object | undefined): number | undefined {
    return request === undefined ? undefined : this.#at.get(request);
  }
}
