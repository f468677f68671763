import { invoke } from '../errors/foreign.js';
import type { Clock } from './clock.js';

/** Reads how long a dependency asks to be left alone. */

interface WithHeaders {
  headers?: unknown;
  retryAfterMs?: unknown;
  response?: { headers?: unknown } | null;
  /** That of the AWS SDK. */
  $response?: { headers?: unknown } | null;
}

/**
 * The `Retry-After` of an error or of the response that it carries, or of a response that was returned, in ms from now; undefined where there is none.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after delay in seconds, or an HTTP date
 */
export function retryAfterOf(error: unknown, clock: Pick<Clock, 'wallNow'>): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  try {
    const { headers, response, $response, retryAfterMs } = error as WithHeaders;
    if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return retryAfterMs;
    return parse(headerOf(headers) ?? headerOf(response?.headers) ?? headerOf($response?.headers), clock);
  } catch {
    // Headers that cannot be read ask for nothing.
    return undefined;
  }
}

function headerOf(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const { get } = headers as { get?: unknown };
  if (typeof get === 'function') return invoke(headers, 'get', 'retry-after') ?? undefined;
  const plain = headers as Record<string, unknown>;
  return plain['retry-after'] ?? plain['Retry-After'];
}

function parse(value: unknown, clock: Pick<Clock, 'wallNow'>): number | undefined {
  const text = Array.isArray(value) ? (value[0] as unknown) : value;
  if (typeof text === 'number') return Number.isFinite(text) && text >= 0 ? text * 1_000 : undefined;
  if (typeof text !== 'string') return undefined;
  if (/^\s*\d+(?:\.\d+)?\s*$/.test(text)) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - clock.wallNow());
}
