import type { Exchange } from '../http/exchange.js';
import { MOST_BODY_BYTES } from './action-request.js';
import { refusals, type Refusal } from './refusal.js';

/** The value of a body, or why there is none. */
export type ReadBody = { readonly value: unknown } | { readonly refusal: Refusal };

const JSON_TYPE = /^application\/json(?:\s*;\s*charset=utf-?8)?$/i;

/**
 * Reads the body of an action, be it that a parser of the app has done so before.
 *
 * @param received how many bytes have come, where that was counted.
 */
export async function readBody(exchange: Exchange, received: () => number | undefined): Promise<ReadBody> {
  if (!JSON_TYPE.test(exchange.header('content-type') ?? '')) return { refusal: refusals.contentType };
  if (Number(exchange.header('content-length') ?? 0) > MOST_BODY_BYTES) return { refusal: refusals.tooLarge };
  const parsed = exchange.parsedBody;
  const text = parsed === undefined ? await textOf(exchange) : isText(parsed) ? parsed.toString() : undefined;
  if ((received() ?? Buffer.byteLength(text ?? JSON.stringify(parsed) ?? '')) > MOST_BODY_BYTES)
    return { refusal: refusals.tooLarge };
  if (text === undefined) return { value: parsed };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { refusal: refusals.noJson };
  }
}

function isText(value: unknown): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value);
}

/** What nobody has read yet, up to a little more than is allowed; the rest is let go. */
function textOf({ incoming }: Exchange): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve) => {
    const finish = (): void => resolve(Buffer.concat(chunks).toString('utf8'));
    // A parser has read it and left nothing, or the client has gone.
    if (incoming.readableEnded || incoming.destroyed) return finish();
    incoming.on('data', (chunk: Buffer) => {
      if (size > MOST_BODY_BYTES) return;
      size += chunk.length;
      chunks.push(chunk);
      if (size > MOST_BODY_BYTES) finish();
    });
    incoming.once('end', finish).once('error', finish).once('close', finish);
  });
}
