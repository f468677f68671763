import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { operatorOf } from '../actions/operator.js';

/** A request for an action, from its first byte on. */
interface Visit {
  bytes: number;
  /** Whether the dashboard has answered it, and said so. */
  known: boolean;
}

/**
 * Sees every request for an action before the app does: one that a global guard, a parser or a limit of the app turns away
 * never comes to the dashboard, and is told all the same. It also counts what is sent, since a parser may have read it.
 */
export class ActionDoor {
  readonly #visits = new WeakMap<IncomingMessage, Visit>();
  readonly #ending: string;

  /**
   * @param path of the page, below what the app puts before its routes.
   * @param onUnheard told of each that the app has answered by itself, with the status; undefined: there was no answer.
   */
  constructor(
    path: string,
    private readonly onUnheard: (by: string, status: number | undefined) => void,
  ) {
    this.#ending = `/${path}/api/actions`.replace(/\/+/g, '/').toLowerCase();
  }

  /** @returns a function after which it sees nothing more. */
  watch(server: Server): () => void {
    const see = (request: IncomingMessage, response: ServerResponse): void => this.#see(request, response);
    server.prependListener('request', see);
    return () => void server.off('request', see);
  }

  /** How many bytes of the body have come; undefined: nobody has counted. */
  received(request: IncomingMessage): number | undefined {
    return this.#visits.get(request)?.bytes;
  }

  /** The dashboard tells of it itself. */
  heard(request: IncomingMessage): void {
    const visit = this.#visits.get(request);
    if (visit !== undefined) visit.known = true;
  }

  #see(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'POST' || !this.#isAction(request.url ?? '')) return;
    const visit: Visit = { bytes: 0, known: false };
    this.#visits.set(request, visit);
    const { push } = request as unknown as { push: (...chunk: unknown[]) => unknown };
    // To listen for the data would make it flow past whoever comes later.
    request.push = (...chunk: unknown[]): boolean => {
      const [data] = chunk as [Buffer | null];
      if (data !== null) visit.bytes += data.length;
      return Reflect.apply(push, request, chunk) as boolean;
    };
    const by = operatorOf(request);
    response.once('close', () => {
      if (!visit.known) this.onUnheard(by, response.headersSent ? response.statusCode : undefined);
    });
  }

  #isAction(url: string): boolean {
    const path = url.split('?', 1)[0] as string;
    return path.toLowerCase().replace(/\/+$/, '').endsWith(this.#ending);
  }
}
