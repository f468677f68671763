import type { ServerResponse } from 'node:http';

/** Nothing runs, and nothing is loaded, but what this page brings; no other page may show it in a frame. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * Sets what keeps browsers from opening an answer to others, in place of what the app sets for its own pages: a policy of
 * helmet's may be weaker or keep our script from running, and `enableCors()` is meant for the app's own routes.
 */
export function secure(response: ServerResponse): void {
  for (const name of response.getHeaderNames()) if (name.startsWith('access-control-')) response.removeHeader(name);
  response.removeHeader('Content-Security-Policy-Report-Only');
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
}
