import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { DeadlineQueue } from '../../policies/deadline-queue.js';
import { ask, rank, yesOrNo } from '../../policies/ask.js';
import type { PolicyEnvironment } from '../../policies/policy.js';
import type { Ingress } from '../../policies/system-protection/ingress.js';
import type { ResolvedSystemProtection } from '../../policies/system-protection/system-protection.options.js';
import { HttpVisit } from './http-visit.js';

/** The body of every answer of ours, as the exceptions give it. */
const BODY = JSON.stringify({ statusCode: 503, message: 'Service Unavailable', errorCode: 'SHED' });

/** A handler whose client has gone, and that never answers, counts at most so long, ms; as abandoned work in a bulkhead. */
const DESERTED_MS = 60_000;

/** Stands between an HTTP server and the app: what is shed costs no routing, no parsing and no handler. */
export class HttpGate {
  readonly #headers: Record<string, string>;
  readonly #desertions: DeadlineQueue;

  constructor(
    private readonly ingress: Ingress,
    private readonly options: ResolvedSystemProtection,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#desertions = new DeadlineQueue(DESERTED_MS, environment.clock, environment.lifecycle, false);
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
      event === 'request' && !this.#admit(args[0] as IncomingMessage, args[1] as ServerResponse)
        ? true
        : emit(event, ...args);
    Object.defineProperty(server, 'emit', { value: guarded, configurable: true, writable: true });
    return () => {
      if (server.emit !== guarded) return;
      if (own === undefined) Reflect.deleteProperty(server, 'emit');
      else Object.defineProperty(server, 'emit', own);
    };
  }

  #admit(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#isExempt(request)) return true;
    const now = this.environment.clock.now();
    if (this.ingress.enter(now, this.#priorityOf(request)) !== undefined) {
      response.writeHead(503, this.#headers).end(BODY);
      return false;
    }
    new HttpVisit(this.ingress, this.environment.clock, now, response, this.#desertions);
    return true;
  }

  #isExempt(request: IncomingMessage): boolean {
    const { url = '' } = request;
    const { exemptPaths, exempt } = this.options;
    if (exemptPaths.some((path) => isAtOrBelow(url, path))) return true;
    return (
      exempt !== undefined && ask(this.environment, 'systemProtection.exempt', yesOrNo, false, () => exempt(request))
    );
  }

  #priorityOf(request: IncomingMessage): number {
    const { priority } = this.options;
    if (priority === undefined) return 0;
    return ask(this.environment, 'systemProtection.priority', rank, 0, () => priority(request));
  }
}

function isAtOrBelow(url: string, path: string): boolean {
  if (!url.startsWith(path)) return false;
  const next = url[path.length];
  return next === undefined || next === '?' || next === '/' || path.endsWith('/');
}
