import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Clock } from '../../kernel/clock.js';

/** A connection is let go of when no request has come for so long, ms: one may be on its way. */
const QUIET_MS = 250;

/**
 * The connections of an HTTP server whose app is to go. It first listens no more, and only then tells clients with keep-alive
 * to leave: told before, they would connect anew, and what waits to be accepted when a server ceases to listen is reset.
 */
export class HttpConnections {
  #lastRequestAt: number;
  readonly #tell = (_request: IncomingMessage, response: ServerResponse): void => {
    this.#lastRequestAt = this.clock.now();
    // HTTP/2 has no such header, and its sessions are ended with the server.
    if (response.req.httpVersionMajor < 2 && !response.headersSent) response.setHeader('Connection', 'close');
  };

  constructor(
    private readonly server: Server,
    private readonly clock: Clock,
  ) {
    this.#lastRequestAt = clock.now();
  }

  /** Accepts no connection any more; those that are there go on, and each answer tells its client to leave. */
  async stopListening(): Promise<void> {
    // That of an HTTP server would let go of the connections, too, on which a request is just coming.
    if (this.server.listening) NetServer.prototype.close.call(this.server);
    // The socket is closed at the end of the turn: a client that is told to leave before that would connect in vain.
    await turn();
    await turn();
    this.server.prependListener('request', this.#tell);
  }

  /** How many are left, when those have been let go of on which nothing has come for a while. */
  async count(): Promise<number> {
    // After a turn that took long, what has come meanwhile is not read yet.
    await turn();
    // That of HTTP/2 has no such method.
    if (this.clock.now() - this.#lastRequestAt >= QUIET_MS) (this.server as Partial<Server>).closeIdleConnections?.();
    return new Promise((resolve) => {
      this.server.getConnections((error, count) => resolve(error === null ? count : 0));
    });
  }

  /** Cuts what is left. */
  cut(): void {
    (this.server as Partial<Server>).closeAllConnections?.();
  }

  /** Lets go of the server. */
  release(): void {
    this.server.off('request', this.#tell);
  }
}

/** A turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
