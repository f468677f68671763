import { isIP } from 'node:net';
import type { TlsRequest } from './tls-request.js';
import { parseTls, speaksOfTls } from './tls-request.js';

/** A database on a server. */
export interface ServerAddress {
  readonly kind: 'mysql' | 'postgres';
  readonly host: string;
  readonly port: number;
  /** A file (MySQL), or the folder of one (PostgreSQL), in place of host and port; undefined: none. */
  readonly socket: string | undefined;
  readonly database: string;
  /** Undefined: whom the driver takes. */
  readonly user: string | undefined;
  readonly password: string;
  readonly tls: TlsRequest | undefined;
  /** Of PostgreSQL: where the table is; undefined: where the server looks first. */
  readonly schema: string | undefined;
  /** Of PostgreSQL: what the server is told when a connection starts. */
  readonly startup: { readonly application_name?: string; readonly options?: string };
  /** Whether a pooler lies between, which hands sessions from one client to another. */
  readonly pooled: boolean;
  /** Parameters that mean nothing here. */
  readonly ignored: readonly string[];
}

/** How a URL looks, for messages. */
export const SERVER_FORMS = {
  mysql: 'mysql://user:password@host:3306/database',
  postgres: 'postgres://user:password@host:5432/database',
} as const;

const DEFAULT_PORTS = { mysql: 3306, postgres: 5432 } as const;

/** What is used of the parameters, besides encryption, under the name by which the rest of this file calls it. */
const USED = {
  mysql: new Map([
    ['user', 'user'],
    ['password', 'password'],
    ['host', 'host'],
    ['port', 'port'],
    ['socket', 'socket'],
    ['socketPath', 'socket'],
    ['unix_socket', 'socket'],
  ]),
  postgres: new Map([
    ['user', 'user'],
    ['password', 'password'],
    ['host', 'host'],
    ['port', 'port'],
    ['schema', 'schema'],
    ['options', 'options'],
    ['application_name', 'application_name'],
    ['pgbouncer', 'pgbouncer'],
  ]),
} as const;

/** @returns the address, or what is wrong; that text never holds a password. */
export function parseServerAddress(kind: ServerAddress['kind'], url: string): ServerAddress | string {
  const expected = `expected ${SERVER_FORMS[kind]}, with reserved characters percent-encoded`;
  const parsed = parseUrl(url);
  if (parsed === undefined) return `option 'url' is no valid URL; ${expected}`;
  const { hostname, port, pathname, username, password, searchParams, hash } = parsed;
  // Brackets belong to the URL, not to the IPv6 address within.
  const parts = decodeAll([username, password, pathname.slice(1), hostname.replace(/^\[(.*)\]$/, '$1')]);
  if (parts === undefined) return `option 'url' has a '%' that encodes nothing; ${expected}`;
  const [user = '', secret = '', database = '', urlHost = ''] = parts;
  if (hash !== '') return `option 'url' has a '#'; ${expected}`;
  const sorted = sortParameters(kind, searchParams);
  if (typeof sorted === 'string') return `${sorted}; ${expected}`;
  const { used, ignored } = sorted;
  for (const [name, inUrl] of [
    ['user', user],
    ['password', secret],
  ] as const) {
    if (inUrl !== '' && used.has(name)) return `option 'url' has a ${name} and the parameter '${name}'; expected one`;
  }
  const host = used.get('host') ?? urlHost;
  const socket = used.get('socket') ?? (host.startsWith('/') ? host : undefined);
  if (host === '' && socket === undefined) return `option 'url' has no host; ${expected}`;
  if (database === '' || database.includes('/')) return `option 'url' names no database; ${expected}`;
  const portText = used.get('port') ?? port;
  if (!/^\d{0,5}$/.test(portText) || Number(portText) > 65_535) return `option 'url' has no valid port; ${expected}`;
  const tls = parseTls(sorted.tls);
  if (typeof tls === 'string') return tls;
  const { request } = tls;
  if (socket !== undefined && request !== undefined && request.mode !== 'prefer') {
    return `option 'url' asks for encryption at the socket ${socket}, which has none; expected no sslmode, or a host`;
  }
  if (kind === 'mysql' && isIP(host) !== 0 && request?.mode === 'verify-full') {
    // The driver would compare the certificate with the name localhost.
    return `option 'url' asks for verify-full at the address ${host}; expected the name of a host, or verify-ca`;
  }
  const [application_name, options] = [used.get('application_name'), used.get('options')];
  return {
    kind,
    host: socket === undefined ? host : 'localhost',
    port: portText === '' ? DEFAULT_PORTS[kind] : Number(portText),
    socket,
    database,
    user: orUndefined(user) ?? orUndefined(used.get('user')),
    password: orUndefined(secret) ?? used.get('password') ?? '',
    tls: socket === undefined ? request : undefined,
    schema: orUndefined(used.get('schema')),
    startup: {
      ...(application_name === undefined ? {} : { application_name }),
      ...(options === undefined ? {} : { options }),
    },
    pooled: used.get('pgbouncer') === 'true',
    ignored,
  };
}

/** An address as messages show it: without user and password. */
export function describeAddress({ kind, host, port, socket, database }: ServerAddress): string {
  if (socket !== undefined) return `${kind}:///${database} at the socket ${socket}`;
  return `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}

/** A URL with a user, but no host, is none to the standard; with a socket among its parameters it has all it needs. */
function parseUrl(url: string): URL | undefined {
  if (URL.canParse(url)) return new URL(url);
  const hasSocket = /[?&](?:host|socket|socketPath|unix_socket)=/.test(url);
  const withHost = url.replace(/^([a-z]+:\/\/[^/?#]*@)(?=\/)/i, '$1localhost');
  return hasSocket && URL.canParse(withHost) ? new URL(withHost) : undefined;
}

interface SortedParameters {
  readonly used: ReadonlyMap<string, string>;
  readonly tls: readonly (readonly [string, string])[];
  readonly ignored: readonly string[];
}

function sortParameters(kind: ServerAddress['kind'], parameters: URLSearchParams): SortedParameters | string {
  const used = new Map<string, string>();
  const tls: (readonly [string, string])[] = [];
  const ignored = new Set<string>();
  for (const [name, value] of parameters) {
    const meaning: string | undefined = USED[kind].get(name);
    if (speaksOfTls(name)) tls.push([name, value]);
    else if (meaning === undefined) ignored.add(name);
    else if (used.has(meaning)) return `option 'url' has the parameter '${name}' twice`;
    else used.set(meaning, value);
  }
  return { used, tls, ignored: [...ignored] };
}

function decodeAll(parts: readonly string[]): string[] | undefined {
  try {
    return parts.map((part) => decodeURIComponent(part));
  } catch {
    return undefined;
  }
}

function orUndefined(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
