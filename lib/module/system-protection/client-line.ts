import type { IncomingMessage, ServerResponse } from 'node:http';

/** What an HTTP/2 response has in place of a property of its own. */
interface Streamed {
  readonly stream?: { readonly writableNeedDrain: boolean };
}

/** Whether the app reads the body and has read all that the client has sent so far. */
export function awaitsBody(request: IncomingMessage): boolean {
  if (request.complete || request.readableLength > 0) return false;
  const { readableFlowing } = request;
  return readableFlowing === true || (readableFlowing === false && request.listenerCount('readable') > 0);
}

/** Whether the app has written more than the client has taken so far. */
export function isStalled(response: ServerResponse): boolean {
  if (response.writableEnded) return false;
  const needsDrain = response.writableNeedDrain as boolean | undefined;
  return needsDrain ?? (response as Streamed).stream?.writableNeedDrain === true;
}

/** Whether the app waits to write more, and the answer is under way. Once the client has gone nothing else tells of that. */
export function awaitsDrain(response: ServerResponse): boolean {
  return response.headersSent && !response.writableEnded && response.listenerCount('drain') > 0;
}

const EVENT_STREAM = /^\s*text\/event-stream\b/i;

/** @param head what `writeHead` was given. */
export function isEventStream(response: ServerResponse, head: readonly unknown[]): boolean {
  return EVENT_STREAM.test(String(response.getHeader('content-type') ?? contentTypeIn(head.at(-1))));
}

/** Headers given to `writeHead` alone are kept nowhere else: an object, pairs, or names and values in turn. */
function contentTypeIn(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const list: unknown[] = Array.isArray(headers) ? headers.flat() : Object.entries(headers).flat();
  const at = list.findIndex((one, index) => index % 2 === 0 && String(one).toLowerCase() === 'content-type');
  return at < 0 ? undefined : list[at + 1];
}
