import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type {
  ActionRequest,
  DashboardState,
  InstanceDetail,
  Tick,
} from '../../../lib/observability/dashboard/protocol.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** An answer to an action. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * The wire protocol, told by a test: for what a real app shows seldom, such as hundreds of instances, hostile names, a
 * connection that breaks, and each refusal of an action.
 */
export class FakeApp {
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  /** The actions that came. */
  readonly actions: ActionRequest[] = [];
  detail: (name: string) => InstanceDetail | undefined = () => undefined;
  answer: (request: ActionRequest) => Answer = () => ({ status: 200, body: { state: 'closed' } });
  /** The status with which streams are turned away; undefined: they are let in. */
  turnAway: number | undefined;

  /** @param page the folder of the built page; @param path without a slash at its end. */
  constructor(
    private readonly page: string,
    private readonly state: () => DashboardState,
    readonly path = '/ops/resilience',
  ) {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.path}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  tick(tick: Partial<Tick>): void {
    const whole: Tick = {
      now: Date.now(),
      draining: false,
      added: [],
      samples: [],
      timeline: [],
      ingress: null,
      ...tick,
    };
    for (const stream of this.#streams) stream.write(`event: tick\ndata: ${JSON.stringify(whole)}\n\n`);
  }

  /** Breaks all streams off. */
  breakOff(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    response.setHeader('Content-Security-Policy', POLICY);
    if (path === this.path || path === `${this.path}/`) return this.#index(path, response);
    const below = path.startsWith(`${this.path}/`) ? path.slice(this.path.length + 1) : '';
    if (below === 'api/stream') return this.#stream(response);
    if (below === 'api/state')
      return json(response, { status: this.turnAway ?? 200, body: this.turnAway ? {} : this.state() });
    if (below === 'api/actions') {
      const action = JSON.parse(await text(request)) as ActionRequest;
      this.actions.push(action);
      return json(response, this.answer(action));
    }
    if (below === 'api/instances') {
      const detail = this.detail(new URL(request.url ?? '', 'http://fake').searchParams.get('name') ?? '');
      return json(response, { status: detail ? 200 : 404, body: detail ?? { code: 'UNKNOWN_INSTANCE', message: '' } });
    }
    const body = /^[\w.-]+$/.test(below) ? await readFile(join(this.page, below)).catch(() => undefined) : undefined;
    response.writeHead(body ? 200 : 404, { 'Content-Type': TYPES[extname(below)] ?? 'text/plain' }).end(body);
  }

  /** With a base, as the module does it. */
  async #index(path: string, response: ServerResponse): Promise<void> {
    const html = await readFile(join(this.page, 'index.html'), 'utf8');
    const base = path.endsWith('/') ? './' : `./${path.slice(path.lastIndexOf('/') + 1)}/`;
    response
      .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
      .end(html.replace('<head>', `<head><base href="${base}" />`));
  }

  #stream(response: ServerResponse): void {
    if (this.turnAway !== undefined) return json(response, { status: this.turnAway, body: {} });
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write(`event: state\ndata: ${JSON.stringify(this.state())}\n\n`);
    this.#streams.add(response);
    response.once('close', () => this.#streams.delete(response));
  }
}

function json(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
