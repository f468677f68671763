import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a request comes from a page of the app itself, or of an origin that the options allow. A browser says where a
 * request comes from, and no page can make it lie; a client that says nothing is none that a person looks at.
 *
 * Browsers send `Sec-Fetch-Site` over TLS and to this machine. Over plain HTTP only the host can be compared: a proxy that
 * ends TLS hands on another scheme than the browser knows.
 */
export function isOwnOrigin(headers: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  const site = headers['sec-fetch-site'];
  const { origin } = headers;
  if (origin !== undefined && allowed.includes(origin)) return true;
  if (site !== undefined) return site === 'same-origin';
  const host = headers.host ?? headers[':authority'];
  if (origin === undefined || typeof host !== 'string') return false;
  return URL.canParse(origin) && new URL(origin).host === withoutDefaultPort(host.toLowerCase(), origin);
}

function withoutDefaultPort(host: string, origin: string): string {
  return host.replace(origin.startsWith('https:') ? /:443$/ : /:80$/, '');
}
