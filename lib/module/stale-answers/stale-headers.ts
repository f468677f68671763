import type { ExecutionContext } from '@nestjs/common';
import { wholeSeconds } from '../../errors/resilience.exception.js';
import type { Origin } from '../../kernel/origin.js';

/** What Express and Fastify have in common; Fastify wraps the response of Node. */
interface HttpResponse {
  readonly headersSent?: boolean;
  readonly raw?: { readonly headersSent?: boolean };
  getHeader(name: string): unknown;
  header(name: string, value: string): unknown;
}

const CACHE = 'nestjs-bulwark';

/**
 * Says on an HTTP answer that it was made of a last good one, and how old that is; on other transports, and where the headers
 * have been sent, nothing. The names of keys and methods are nobody's business.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9111#section-5.1 Age; section 5.5 takes the warnings of old away
 * @see https://www.rfc-editor.org/rfc/rfc9211#section-2.3 a negative ttl is that of a stale answer
 */
export function sayStale({ response, context }: Origin, ageMs: number): void {
  const answer = (response ?? responseOf(context as ExecutionContext | undefined)) as HttpResponse | undefined;
  if (answer === undefined || answer.headersSent === true || answer.raw?.headersSent === true) return;
  const age = wholeSeconds(ageMs);
  try {
    answer.header('Age', String(age));
    answer.header(
      'Cache-Status',
      besideOthers(answer.getHeader('Cache-Status'), `${CACHE}; hit; ttl=-${age}; detail=stale`),
    );
  } catch {
    // The connection is gone: then nobody reads the answer.
  }
}

function responseOf(context: ExecutionContext | undefined): unknown {
  return context?.getType() === 'http' ? context.switchToHttp().getResponse() : undefined;
}

/** Caches before us may have had their say. */
function besideOthers(known: unknown, own: string): string {
  const others: readonly unknown[] = Array.isArray(known)
    ? known
    : typeof known === 'string'
      ? known.split(/,\s*/)
      : [];
  return [...others.filter((one) => !String(one).startsWith(CACHE)), own].join(', ');
}
