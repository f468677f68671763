import type { ServerResponse } from 'node:http';
import type { Clock } from '../../policies/clock.js';
import type { Ingress } from '../../policies/system-protection/ingress.js';

/** How long an answer is sent for at most, ms, before it tells more of the client's line than of our work. */
const LONG_ANSWER_MS = 1_000;
const EVENT_STREAM = /^\s*text\/event-stream\b/i;

/**
 * A request that was let in, until its answer is sent or its client has gone. A stream of events goes on for as long as
 * its client likes and is idle nearly all the time, so it is over when its headers go out.
 */
export class HttpVisit {
  #inside = true;
  #headersAt: number | undefined;

  constructor(
    private readonly ingress: Ingress,
    private readonly clock: Clock,
    private readonly enteredAt: number,
    private readonly response: ServerResponse,
  ) {
    const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => ServerResponse;
    // Node calls it too for headers that nobody wrote by name.
    response.writeHead = (...head: unknown[]): ServerResponse => {
      const written = writeHead(...head);
      this.#answers(head);
      return written;
    };
    // It comes last, whether the answer was sent or the client has gone.
    response.once('close', this.#end);
  }

  #answers(head: unknown[]): void {
    this.#headersAt ??= this.clock.now();
    const contentType = this.response.getHeader('content-type') ?? contentTypeIn(head.at(-1));
    if (!EVENT_STREAM.test(String(contentType)) || !this.#inside) return;
    this.#inside = false;
    this.ingress.leaveUnmeasured();
  }

  readonly #end = (): void => {
    if (!this.#inside) return;
    this.#inside = false;
    const { writableFinished, statusCode } = this.response;
    const sentForMs = this.#headersAt === undefined ? 0 : this.clock.now() - this.#headersAt;
    if (sentForMs > LONG_ANSWER_MS) this.ingress.leaveUnmeasured();
    else this.ingress.leave(this.enteredAt, writableFinished && statusCode < 500);
  };
}

/** Headers given to `writeHead` alone are kept nowhere else: an object, pairs, or names and values in turn. */
function contentTypeIn(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const list: unknown[] = Array.isArray(headers) ? headers.flat() : Object.entries(headers).flat();
  const at = list.findIndex((one, index) => index % 2 === 0 && String(one).toLowerCase() === 'content-type');
  return at < 0 ? undefined : list[at + 1];
}
