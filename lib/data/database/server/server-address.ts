import { isIP } from 'node:net';
import type { TlsRequest } from './tls-request.js';
import { parseTls } from './tls-request.js';

/** A database on a server. */
export interface ServerAddress {
  readonly kind: 'mysql' | 'postgres';
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Undefined: whom the driver takes. */
  readonly user: string | undefined;
  readonly password: string;
  readonly tls: TlsRequest | undefined;
}

/** How a URL looks, for messages. */
export const SERVER_FORMS = {
  mysql: 'mysql://user:password@host:3306/database',
  postgres: 'postgres://user:password@host:5432/database',
} as const;

const DEFAULT_PORTS = { mysql: 3306, postgres: 5432 } as const;

/** @returns the address, or what is wrong; that text never holds a password. */
export function parseServerAddress(kind: ServerAddress['kind'], url: string): ServerAddress | string {
  const expected = `expected ${SERVER_FORMS[kind]}, with reserved characters percent-encoded`;
  if (!URL.canParse(url)) return `option 'url' is no valid URL; ${expected}`;
  const { hostname, port, pathname, username, password, searchParams, hash } = new URL(url);
  // Brackets belong to the URL, not to the IPv6 address within.
  const parts = decodeAll([username, password, pathname.slice(1), hostname.replace(/^\[(.*)\]$/, '$1')]);
  if (parts === undefined) return `option 'url' has a '%' that encodes nothing; ${expected}`;
  const [user, secret, database, host] = parts;
  if (host === undefined || host === '') return `option 'url' has no host; ${expected}`;
  if (database === undefined || database === '' || database.includes('/')) {
    return `option 'url' names no database; ${expected}`;
  }
  if (hash !== '') return `option 'url' has a '#'; ${expected}`;
  const tls = parseTls(searchParams);
  if (typeof tls === 'string') return tls;
  if (kind === 'mysql' && isIP(host) !== 0 && tls.request?.mode === 'verify-full') {
    // The driver would compare the certificate with the name localhost.
    return `option 'url' asks for verify-full at the address ${host}; expected the name of a host, or verify-ca`;
  }
  return {
    kind,
    host,
    port: port === '' ? DEFAULT_PORTS[kind] : Number(port),
    database,
    user: user === '' ? undefined : user,
    password: secret ?? '',
    tls: tls.request,
  };
}

/** An address as messages show it: without user and password. */
export function describeAddress({ kind, host, port, database }: ServerAddress): string {
  return `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}

function decodeAll(parts: readonly string[]): string[] | undefined {
  try {
    return parts.map((part) => decodeURIComponent(part));
  } catch {
    return undefined;
  }
}
