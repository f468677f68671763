import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import { Server as NetServer, type Socket } from 'node:net';
import type { Clock } from '../../kernel/clock.js';

/** A connection is let go of when no request has come for so long, ms: one may be on its way. */
const QUIET_MS = 250;
/** A session of HTTP/2 that is told this takes no stream of its client for lost that is on its way. */
const ANY_STREAM = 2 ** 31 - 1;
const NO_ERROR = 0;

/** What Node keeps of a connection: the answer that is under way on it; of HTTP/1 alone, and not of what was upgraded. */
interface Carrier {
  readonly _httpMessage?: (ServerResponse & { readonly _header?: string | null }) | null;
  /** Knows the request that was read last, until all of it is read. */
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null;
}

const EVENT_STREAM = /^content-type:\s*text\/event-stream\b/im;

/**
 * The connections of an HTTP server whose app is to go. It first listens no more, and only then tells clients with keep-alive
 * to leave: told before, they would connect anew, and what waits to be accepted when a server ceases to listen is reset.
 *
 * It waits for requests, not for connections: one of a WebSocket ends with the app.
 */
export class HttpConnections {
  readonly #sockets = new Set<Socket & Carrier>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #lastRequestAt = 0;
  readonly #onRequest = (_request: IncomingMessage, response: ServerResponse): void => {
    this.#lastRequestAt = this.clock.now();
    tellToLeave(response);
  };

  /** Knows the connections from now on: it costs nothing per request. */
  constructor(
    private readonly server: Server,
    private readonly clock: Clock,
  ) {
    server.on('connection', keepIn(this.#sockets));
    server.on('secureConnection', keepIn(this.#sockets));
    server.on('session', keepIn(this.#sessions));
  }

  /** Accepts no connection any more; those that are there go on, and each answer tells its client to leave. */
  async stopListening(): Promise<void> {
    this.#lastRequestAt = this.clock.now();
    // That of an HTTP server would let go of the connections, too, on which a request is just coming.
    if (this.server.listening) NetServer.prototype.close.call(this.server);
    // The socket is closed at the end of the turn: a client that is told to leave before that would connect in vain.
    await turn();
    await turn();
    this.server.prependListener('request', this.#onRequest);
    for (const { _httpMessage: answer, parser } of this.#sockets) {
      // Behind it another request of a pipeline may have come already, whose answer is to go by the same connection.
      if (answer && (parser?.incoming ?? answer.req) === answer.req) tellToLeave(answer);
    }
    for (const session of this.#sessions) session.goaway(NO_ERROR, ANY_STREAM);
  }

  /** Whether a request is under way or may be; connections on which nothing has come for a while are let go of. */
  async areBusy(): Promise<boolean> {
    // After a turn that took long, what has come meanwhile is not read yet.
    await turn();
    if (this.clock.now() - this.#lastRequestAt < QUIET_MS) return true;
    // That of HTTP/2 has no such method.
    (this.server as Partial<Server>).closeIdleConnections?.();
    // Each ends with its last stream.
    for (const session of this.#sessions) session.close();
    await turn();
    return this.#sessions.size > 0 || this.#answers().length > 0;
  }

  /** Ends what never ends by itself, so that its client knows that it has all: streams of events. */
  endStreams(): void {
    for (const response of this.#answers()) {
      if (!EVENT_STREAM.test(response._header ?? '')) continue;
      // Whoever writes to it does not know of its end yet.
      response.on('error', () => undefined);
      response.end();
    }
  }

  /** Cuts what is left of requests; those who work for them have heard of it then. */
  async cut(): Promise<void> {
    (this.server as Partial<Server>).closeAllConnections?.();
    for (const session of this.#sessions) session.destroy();
    await turn();
    await turn();
  }

  /** Lets go of the server. */
  release(): void {
    this.server.off('request', this.#onRequest);
  }

  #answers(): NonNullable<Carrier['_httpMessage']>[] {
    return [...this.#sockets].flatMap(({ _httpMessage: answer }) => answer ?? []);
  }
}

/** HTTP/2 has no such header; its sessions are told as a whole. */
function tellToLeave(response: ServerResponse): void {
  if (response.req.httpVersionMajor < 2 && !response.headersSent) response.setHeader('Connection', 'close');
}

function keepIn<T extends Socket | ServerHttp2Session>(set: Set<T>): (connection: T) => void {
  return (connection) => {
    set.add(connection);
    (connection as Socket).once('close', () => set.delete(connection));
  };
}

/** A turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
