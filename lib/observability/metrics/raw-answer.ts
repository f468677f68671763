import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

/** What Express and Fastify give a handler for the response. */
type Response = ServerResponse | FastifyReply;

interface FastifyReply {
  readonly raw: ServerResponse;
  getHeaders(): OutgoingHttpHeaders;
  hijack(): unknown;
}

const pack = promisify(gzip);
/** A shorter text is sent as it is, in characters. */
const WORTH_PACKING = 1_024;

/**
 * Answers with a text past everything that would make something else of it: what wraps, serialises or packs the answers
 * of the app. Headers that were set before are sent with it.
 */
export async function answerRaw(
  request: Pick<IncomingMessage, 'headers'>,
  response: Response,
  type: string,
  text: string,
): Promise<void> {
  const packed = text.length >= WORTH_PACKING && acceptsGzip(request.headers['accept-encoding']);
  // Few names many times: the fastest level makes a twentieth of it.
  const body = packed ? await pack(text, { level: constants.Z_BEST_SPEED }) : Buffer.from(text);
  const raw = rawOf(response);
  raw.setHeader('Content-Type', type);
  raw.setHeader('Content-Length', body.length);
  raw.setHeader('Cache-Control', 'no-store');
  raw.setHeader('Vary', 'Accept-Encoding');
  if (packed) raw.setHeader('Content-Encoding', 'gzip');
  raw.statusCode = 200;
  raw.end(body);
}

function rawOf(response: Response): ServerResponse {
  if (!('raw' in response)) return response;
  const { raw } = response;
  for (const [name, value] of Object.entries(response.getHeaders()))
    if (value !== undefined) raw.setHeader(name, value);
  response.hijack();
  return raw;
}

/** As Prometheus asks for it, `gzip` or `gzip;q=0.5`. */
function acceptsGzip(accepted: string | string[] | undefined): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:\s*,|\s*$))/i.test(String(accepted ?? ''));
}
