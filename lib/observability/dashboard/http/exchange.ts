import type { IncomingMessage, ServerResponse } from 'node:http';
import { propertyOf } from '../../../errors/foreign.js';
import { secure } from './security-headers.js';

/** What both platforms have in common, and what Fastify wraps. */
interface FrameworkRequest {
  readonly raw?: IncomingMessage;
}
interface FrameworkReply {
  readonly raw?: ServerResponse;
  hijack?(): unknown;
}

/** What is answered. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly etag?: string;
  readonly body: string | Buffer;
}

/** Data of this moment, for this client; what compresses or rewrites answers is to leave it as it is. */
export const NEVER_KEPT = 'no-store, no-transform';

/**
 * One request and its answer, on Express and on Fastify alike. The answer is written to the response of Node itself, so
 * that no interceptor wraps it, no filter words it anew, and nothing holds it back.
 */
export class Exchange {
  readonly incoming: IncomingMessage;
  readonly #request: object;
  readonly #reply: FrameworkReply;
  readonly #outgoing: ServerResponse;

  constructor(request: object, reply: object) {
    this.#request = request;
    this.#reply = reply;
    const isFastify = typeof this.#reply.hijack === 'function';
    this.incoming = ((isFastify ? (request as FrameworkRequest).raw : undefined) ?? request) as IncomingMessage;
    this.#outgoing = ((isFastify ? this.#reply.raw : undefined) ?? reply) as ServerResponse;
  }

  /** The key by which guards and handlers know the request. */
  get request(): object {
    return this.#request;
  }

  /** What a parser of the app has made of the body; undefined: none has read it. */
  get parsedBody(): unknown {
    return propertyOf(this.#request, 'body');
  }

  /** A parameter of the route, decoded. */
  param(name: string): string | undefined {
    const value = propertyOf(propertyOf(this.#request, 'params'), name);
    return typeof value === 'string' ? value : undefined;
  }

  /** A field of the query. */
  query(name: string): string | undefined {
    const [, query = ''] = (this.incoming.url ?? '').split('?', 2);
    return new URLSearchParams(query).get(name) ?? undefined;
  }

  /** The path as it was sent, without the query. */
  get path(): string {
    return (this.incoming.url ?? '/').split('?', 1)[0] as string;
  }

  header(name: string): string | undefined {
    const value = this.incoming.headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  json(status: number, value: unknown): void {
    this.answer({
      status,
      contentType: 'application/json; charset=utf-8',
      cacheControl: NEVER_KEPT,
      body: JSON.stringify(value),
    });
  }

  answer({ status, contentType, cacheControl, etag, body }: Answer): void {
    const response = this.take();
    if (response.headersSent || response.destroyed) return;
    response.setHeader('Cache-Control', cacheControl);
    if (etag !== undefined) response.setHeader('ETag', etag);
    if (etag !== undefined && this.#knows(etag)) {
      response.statusCode = 304;
      response.end();
      return;
    }
    response.statusCode = status;
    response.setHeader('Content-Type', contentType);
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(this.incoming.method === 'HEAD' ? undefined : body);
  }

  /** The response, for whoever writes to it: from now on the framework leaves it alone. */
  take(): ServerResponse {
    this.#reply.hijack?.();
    secure(this.#outgoing);
    return this.#outgoing;
  }

  #knows(etag: string): boolean {
    const known = this.header('if-none-match') ?? '';
    return known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
  }
}
