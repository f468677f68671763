import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ask, rank, yesOrNo } from '../../kernel/ask.js';
import { DeadlineQueue } from '../../kernel/deadline-queue.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { Ingress } from '../../policies/system-protection/ingress.js';
import type { ResolvedSystemProtection } from '../../policies/system-protection/system-protection.options.js';
import { CORS_WAIT_MS, CorsHeaders, isPreflight } from './cors-headers.js';
import { HttpVisit, type VisitHome, type VisitSurroundings } from './http-visit.js';

/** The body of every answer of ours, as the exceptions give it. */
const BODY = JSON.stringify({ statusCode: 503, message: 'Service Unavailable', errorCode: 'SHED' });

/** A request is looked at this often, ms: whether the app waits for the client. */
const LOOK_EVERY_MS = 100;
/** A handler whose client has gone, and that never answers, counts at most so long, ms; as abandoned work in a bulkhead. */
const DESERTED_MS = 60_000;
/** The same for one that was writing its answer, ms: to notice that nobody reads it takes no longer. */
const BROKEN_OFF_MS = 5_000;

/** Stands between an HTTP server and the app: what is shed costs no routing, no parsing and no handler. */
export class HttpGate implements VisitSurroundings {
  readonly clock;
  readonly looks: DeadlineQueue;
  readonly desertions: DeadlineQueue;
  readonly breakOffs: DeadlineQueue;
  readonly #headers: Record<string, string>;
  readonly #cors: CorsHeaders;
  /**
   * What is under way on each connection, since only the connection tells that the client has gone: a response that waits
   * behind another on it never hears of that.
   */
  readonly #connections = new Map<Socket, VisitHome>();
  /** What is under way on streams of HTTP/2, each of which tells of its own end. */
  readonly #streams: VisitHome = { visits: new Set(), isClosing: false };

  constructor(
    readonly ingress: Ingress,
    private readonly options: ResolvedSystemProtection,
    private readonly environment: PolicyEnvironment,
    /** What may stand before the default of the exempt paths. */
    private readonly prefix?: RegExp,
    /** That of the app's HTTP platform. */
    adapter?: unknown,
  ) {
    const { clock, lifecycle } = environment;
    const queue = (ms: number): DeadlineQueue => new DeadlineQueue(ms, clock, lifecycle, false);
    this.clock = clock;
    this.looks = queue(LOOK_EVERY_MS);
    this.desertions = queue(DESERTED_MS);
    this.breakOffs = queue(BROKEN_OFF_MS);
    this.#cors = new CorsHeaders(adapter, queue(CORS_WAIT_MS), clock);
    this.#headers = {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(BODY)),
      'Retry-After': String(Math.max(1, Math.ceil(options.retryAfter / 1_000))),
    };
  }

  /**
   * Asks for every request that the server announces, whoever listens.
   *
   * @returns a function that takes the gate away.
   */
  guard(server: Server): () => void {
    const own = Object.getOwnPropertyDescriptor(server, 'emit');
    const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean;
    // A listener of our own could not keep the app's from hearing the same request.
    const guarded = (event: string | symbol, ...args: unknown[]): boolean =>
      event === 'request'
        ? this.#admit(args[0] as IncomingMessage, args[1] as ServerResponse, () => emit(event, ...args))
        : emit(event, ...args);
    Object.defineProperty(server, 'emit', { value: guarded, configurable: true, writable: true });
    return () => {
      this.#forgetAll();
      if (server.emit !== guarded) return;
      if (own === undefined) Reflect.deleteProperty(server, 'emit');
      else Object.defineProperty(server, 'emit', own);
    };
  }

  refuse(request: IncomingMessage, response: ServerResponse): void {
    // What the app has read of the body is let go when it hears that there is no more.
    response.once('close', () => request.destroy());
    response.shouldKeepAlive = false;
    this.#answer(request, response);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.#cors.before(request, response, () => response.writeHead(503, this.#headers).end(BODY));
  }

  #admit(request: IncomingMessage, response: ServerResponse, tellApp: () => boolean): boolean {
    if (this.#isExempt(request)) return tellApp();
    // Of a request that is read when its connection is lost already, nobody would hear the answer.
    const stream = streamOf(request);
    if (stream === undefined ? request.socket.destroyed : stream.destroyed) return true;
    const now = this.clock.now();
    const priority = this.#priorityOf(request);
    if (this.ingress.enter(now, priority) !== undefined) {
      this.#answer(request, response);
      return true;
    }
    const home = stream === undefined ? this.#homeOf(request.socket) : this.#streams;
    const visit = new HttpVisit(this, home, request, response, priority, now);
    // A stream that was reset may never close while something waits to be sent on it, and a response to HEAD tells nothing.
    stream?.once('aborted', () => visit.leave()).once('close', () => visit.leave());
    try {
      return tellApp();
    } catch (error) {
      visit.drop();
      throw error;
    } finally {
      visit.begun();
    }
  }

  #isExempt(request: IncomingMessage): boolean {
    if (isPreflight(request)) return true;
    const { url = '' } = request;
    const { exempt, exemptUnderPrefix } = this.options;
    if (this.#isExemptPath(url)) return true;
    if (exemptUnderPrefix && this.prefix !== undefined && this.#isExemptPath(url.replace(this.prefix, ''))) return true;
    return (
      exempt !== undefined && ask(this.environment, 'systemProtection.exempt', yesOrNo, false, () => exempt(request))
    );
  }

  #isExemptPath(url: string): boolean {
    return this.options.exemptPaths.some((path) => isAtOrBelow(url, path));
  }

  #priorityOf(request: IncomingMessage): number {
    const { priority } = this.options;
    if (priority === undefined) return 0;
    return ask(this.environment, 'systemProtection.priority', rank, 0, () => priority(request));
  }

  #homeOf(socket: Socket): VisitHome {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const home: VisitHome = { visits: new Set(), isClosing: false };
    this.#connections.set(socket, home);
    // Before Node and the app hear of it, and with it whatever is written to a response.
    socket.prependOnceListener('close', () => {
      this.#connections.delete(socket);
      home.isClosing = true;
      for (const visit of [...home.visits]) visit.leave();
    });
    socket.once('close', () => (home.isClosing = false));
    return home;
  }

  #forgetAll(): void {
    for (const { visits } of [...this.#connections.values(), this.#streams]) {
      for (const visit of [...visits]) visit.drop();
    }
  }
}

/** Of HTTP/2; undefined: HTTP/1 has none. */
function streamOf(request: IncomingMessage): Duplex | undefined {
  if (request.httpVersionMajor < 2) return undefined;
  return (request as unknown as { readonly stream?: Duplex }).stream;
}

function isAtOrBelow(url: string, path: string): boolean {
  if (!url.startsWith(path)) return false;
  const next = url[path.length];
  return next === undefined || next === '?' || next === '/' || path.endsWith('/');
}
