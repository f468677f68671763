import { resolve } from 'node:path';
import { describeValue } from '../port/describe-value.js';
import type { ServerAddress } from './server/server-address.js';
import { parseServerAddress, SERVER_FORMS } from './server/server-address.js';

/** An SQLite database. */
export interface SqliteAddress {
  readonly kind: 'sqlite';
  /** An absolute path, or `:memory:`. */
  readonly path: string;
}

/** Where a database is, by its kind. */
export type DatabaseAddress = SqliteAddress | ServerAddress;

export const IN_MEMORY = ':memory:';

const SQLITE_FORMS = 'sqlite:<path of a file>, sqlite::memory:';

/**
 * Reads a database URL.
 *
 * @returns the address, or what is wrong; that text never holds a password.
 */
export function parseAddress(url: string): DatabaseAddress | string {
  const scheme = /^([a-z][a-z\d+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'sqlite':
      return parseSqlite(url);
    case 'mysql':
    case 'mariadb':
      return parseServerAddress('mysql', url);
    case 'postgres':
    case 'postgresql':
      return parseServerAddress('postgres', url);
    default: {
      const found = scheme === undefined ? 'has no scheme' : `has the scheme '${scheme}:'`;
      return `option 'url' ${found}; supported are: ${SQLITE_FORMS}, ${SERVER_FORMS.mysql}, ${SERVER_FORMS.postgres}`;
    }
  }
}

function parseSqlite(url: string): SqliteAddress | string {
  const path = pathOf(url.slice('sqlite:'.length));
  if (path === undefined) {
    return `option 'url' is ${describeValue(url)}; expected sqlite:<path of a file> or sqlite::memory:`;
  }
  return { kind: 'sqlite', path };
}

function pathOf(rest: string): string | undefined {
  if (rest === IN_MEMORY) return IN_MEMORY;
  // Two slashes introduce a host, which a file does not have; with three the host is empty.
  if (/^\/\/(?!\/)/.test(rest) || rest.includes('\0') || rest.startsWith(':')) return undefined;
  const path = rest.startsWith('///') ? rest.slice(2) : rest;
  // Made absolute, no path can be taken for the address of a server.
  return path === '' ? undefined : resolve(path);
}
