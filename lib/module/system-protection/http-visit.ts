import type { ServerResponse } from 'node:http';
import type { Clock } from '../../policies/clock.js';
import { Deadline, type DeadlineQueue } from '../../policies/deadline-queue.js';
import type { Ingress } from '../../policies/system-protection/ingress.js';

/** How long an answer is sent for at most, ms, before it tells more of the client's line than of our work. */
const LONG_ANSWER_MS = 1_000;
const EVENT_STREAM = /^\s*text\/event-stream\b/i;

/**
 * A request that was let in, until its answer is sent. A stream of events goes on for as long as its client likes and is
 * idle nearly all the time, so it is over when its headers go out. Where the client goes before there is an answer, the
 * handler works on and is as much of a load as before: the visit is over when it answers, though nobody hears it, or
 * after a last limit.
 */
export class HttpVisit extends Deadline {
  #inside = true;
  #headersAt: number | undefined;

  constructor(
    private readonly ingress: Ingress,
    private readonly clock: Clock,
    private readonly enteredAt: number,
    private readonly response: ServerResponse,
    private readonly desertions: DeadlineQueue,
  ) {
    super();
    const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => ServerResponse;
    // Node calls it too for headers that nobody wrote by name.
    response.writeHead = (...head: unknown[]): ServerResponse => {
      const written = writeHead(...head);
      this.#answers(head);
      return written;
    };
    // It comes last, whether the answer was sent or the client has gone.
    response.once('close', this.#onClose);
  }

  /** The handler has not answered, and may never do so, since it knows that nobody listens. */
  expire(): void {
    if (!this.#inside) return;
    this.#inside = false;
    this.ingress.leaveUnmeasured();
  }

  #answers(head: unknown[]): void {
    this.#headersAt ??= this.clock.now();
    const contentType = this.response.getHeader('content-type') ?? contentTypeIn(head.at(-1));
    if (!EVENT_STREAM.test(String(contentType)) || !this.#inside) return;
    this.#inside = false;
    this.ingress.leaveUnmeasured();
  }

  readonly #onClose = (): void => {
    if (!this.#inside) return;
    const { writableFinished, writableEnded, statusCode } = this.response;
    if (this.#headersAt === undefined && !writableEnded) {
      this.#awaitHandler();
    } else {
      this.#leave(writableFinished && statusCode < 500);
    }
  };

  #awaitHandler(): void {
    this.desertions.add(this, this.clock.now());
    // A response whose client has gone writes no headers any more, so `end` is what tells.
    const end = this.response.end.bind(this.response) as (...body: unknown[]) => ServerResponse;
    this.response.end = (...body: unknown[]): ServerResponse => {
      this.#leave(false);
      return end(...body);
    };
  }

  #leave(whole: boolean): void {
    if (!this.#inside) return;
    this.#inside = false;
    this.desertions.remove(this);
    const sentForMs = this.#headersAt === undefined ? 0 : this.clock.now() - this.#headersAt;
    if (sentForMs > LONG_ANSWER_MS) this.ingress.leaveUnmeasured();
    else this.ingress.leave(this.enteredAt, whole);
  }
}

/** Headers given to `writeHead` alone are kept nowhere else: an object, pairs, or names and values in turn. */
function contentTypeIn(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const list: unknown[] = Array.isArray(headers) ? headers.flat() : Object.entries(headers).flat();
  const at = list.findIndex((one, index) => index % 2 === 0 && String(one).toLowerCase() === 'content-type');
  return at < 0 ? undefined : list[at + 1];
}
