import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../kernel/clock.js';
import { Deadline, type DeadlineQueue } from '../../kernel/deadline-queue.js';
import { isObject, propertyOf } from '../../errors/foreign.js';

/** How long the app may take to find out whether an origin is allowed, ms. */
export const CORS_WAIT_MS = 1_000;

type Done = (error?: unknown) => void;
type SetHeaders = (request: IncomingMessage, response: ServerResponse, done: Done) => unknown;

/** Whether a browser asks beforehand: no work comes of it, and without an answer the request itself is never sent. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/**
 * A browser keeps an answer from a page of another origin unless its headers allow that page to see it. So what answers
 * in the app's place sets those headers as the app would: by the very function that `enableCors()`, or the packages
 * `cors` and `@fastify/cors` themselves, have put before the routes.
 */
export class CorsHeaders {
  #found: { readonly set: SetHeaders | undefined } | undefined;

  /** @param adapter that of the app's HTTP platform. */
  constructor(
    private readonly adapter: unknown,
    private readonly waits: DeadlineQueue,
    private readonly clock: Clock,
  ) {}

  /** Runs `answer` when the headers are set; at once where nobody needs any, or nobody sets any. */
  before(request: IncomingMessage, response: ServerResponse, answer: () => void): void {
    if (request.headers.origin === undefined) return answer();
    // It is looked for when the app is complete.
    this.#found ??= { set: setterOf(this.adapter) };
    const { set } = this.#found;
    if (set === undefined) return answer();
    const turn = new Turn(this.waits, () => {
      if (!response.destroyed && !response.headersSent) answer();
    });
    // A question is what the app would answer itself.
    const asked = request.method === 'OPTIONS' ? withMethod(request, 'GET') : request;
    turn.take((done) => set(asked, response, done), this.clock);
  }
}

function withMethod(request: IncomingMessage, method: string): IncomingMessage {
  return Object.create(request, { method: { value: method } }) as IncomingMessage;
}

/** One answer: it comes when the app has said what it allows, or is late, whichever is first. */
class Turn extends Deadline {
  #over = false;

  constructor(
    private readonly queue: DeadlineQueue,
    private readonly answer: () => void,
  ) {
    super();
  }

  take(work: (done: Done) => unknown, clock: Clock): void {
    try {
      work(() => this.#end());
    } catch {
      // An app that cannot say what it allows allows nothing.
      this.#end();
    }
    if (!this.#over) this.queue.add(this, clock.now());
  }

  expire(): void {
    this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.queue.remove(this);
    this.answer();
  }
}

function setterOf(adapter: unknown): SetHeaders | undefined {
  const instance = propertyOf(adapter, 'instance');
  return ofExpress(instance) ?? ofFastify(adapter, instance);
}

/** The middleware of the package `cors` is one of the layers before the routes. */
function ofExpress(instance: unknown): SetHeaders | undefined {
  // Express 4 had its router under another name, and the one it has now made at the first look.
  for (const name of ['router', '_router']) {
    const layers = propertyOf(propertyOf(instance, name), 'stack');
    if (!Array.isArray(layers)) continue;
    const middleware: unknown = layers.map((layer) => propertyOf(layer, 'handle')).find(isNamed('corsMiddleware'));
    if (middleware !== undefined) return middleware as SetHeaders;
  }
  return undefined;
}

type Hook = (request: object, reply: object, ...more: unknown[]) => unknown;

/** The hook of `@fastify/cors` is kept by Nest's adapter, or is one of the instance's hooks. */
function ofFastify(adapter: unknown, instance: unknown): SetHeaders | undefined {
  const hook = [propertyOf(adapter, 'corsHook'), ...hooksOf(instance)].find(isNamed('handleCors')) as Hook | undefined;
  if (hook === undefined) return undefined;
  return (raw, response, done) => {
    const { headers, method, url } = raw;
    const request = { raw, headers, method, url, routeOptions: {}, log: undefined };
    const reply = {
      raw: response,
      getHeader: (name: string) => response.getHeader(name),
      header(name: string, value: string) {
        response.setHeader(name, value);
        return reply;
      },
    };
    // Hooks of later stages are given the body before what they call at the end.
    return hook(request, reply, ...(hook.length > 3 ? [undefined, done] : [done]));
  };
}

function hooksOf(instance: unknown): unknown[] {
  if (!isObject(instance)) return [];
  const key = everySymbolOf(instance).find(({ description }) => description === 'fastify.hooks');
  const lists = key === undefined ? undefined : propertyOf(instance, key);
  return isObject(lists) ? Object.values(lists).flat() : [];
}

function everySymbolOf(instance: object): symbol[] {
  const own = Object.getOwnPropertySymbols(instance);
  const above: unknown = Object.getPrototypeOf(instance);
  return isObject(above) && above !== Object.prototype ? [...own, ...everySymbolOf(above)] : own;
}

const isNamed =
  (name: string) =>
  (value: unknown): boolean =>
    typeof value === 'function' && value.name === name;
