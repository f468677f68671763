import type { ServerResponse } from 'node:http';
import { NEVER_KEPT } from './exchange.js';

/** A browser that has lost the stream asks for it again after so long, ms. */
const RETRY_MS = 2_000;

/** An answer that goes on for as long as the client likes, as server-sent events. */
export class EventStream {
  readonly #response: ServerResponse;
  #open = true;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.once('close', () => (this.#open = false));
    response.statusCode = 200;
    response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
    response.setHeader('Cache-Control', NEVER_KEPT);
    // nginx holds back what it has not been told to pass on.
    response.setHeader('X-Accel-Buffering', 'no');
    // A connection that is kept after the last event would hold up the end of the server.
    response.shouldKeepAlive = false;
    response.write(`retry: ${RETRY_MS}\n\n`);
  }

  /** Whether the client has not taken yet what was written: what is written meanwhile would wait in memory. */
  get isBlocked(): boolean {
    const response = this.#response as unknown as Blockable;
    return (response.writableNeedDrain ?? response.stream?.writableNeedDrain) === true;
  }

  /** @param data one line: JSON has no line breaks. */
  send(event: string, data: string): void {
    this.#write(`event: ${event}\ndata: ${data}\n\n`);
  }

  /** Says nothing, so that whatever lies between does not take the stream for dead. */
  beat(): void {
    this.#write(':\n\n');
  }

  /** Ends it. A client that does not read cannot hold that up. */
  end(): void {
    if (!this.#open) return;
    if (this.isBlocked) this.#response.destroy();
    else this.#response.end();
  }

  #write(text: string): void {
    if (this.#open && !this.#response.destroyed) this.#response.write(text);
  }
}

/** What an HTTP/2 response has in place of a property of its own. */
interface Blockable {
  readonly writableNeedDrain?: boolean;
  readonly stream?: { readonly writableNeedDrain: boolean };
}
