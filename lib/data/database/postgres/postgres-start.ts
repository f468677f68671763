import { DataUnavailableException } from '../../port/errors.js';
import type { WeakSetting } from '../server/durability.js';
import type { ServerBackend } from '../server/server-backend.js';
import { checkLayout } from '../table-layout.js';

const COLUMNS = ['key text NOT NULL COLLATE C PRIMARY KEY', 'value text', 'version text NOT NULL COLLATE C'];

/** Makes the table where it is missing, and looks at the one that is there. */
export async function preparePostgresTable(
  backend: ServerBackend,
  schema: string | undefined,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const table = schema === undefined ? `"${name}"` : `"${schema.replaceAll('"', '""')}"."${name}"`;
  // Asked first, since a standby refuses even what would change nothing.
  const found = await layoutOf(backend, table, signal);
  if (found.length > 0) return checkLayout(table, found, COLUMNS);
  try {
    await backend.query(
      `CREATE TABLE IF NOT EXISTS ${table} ("key" text COLLATE "C" PRIMARY KEY, "value" text, ` +
        '"version" text COLLATE "C" NOT NULL)',
      [],
      signal,
    );
  } catch (error) {
    // Of two that create it at once, one may be refused although it said IF NOT EXISTS.
    if ((await layoutOf(backend, table, signal)).length === 0) throw error;
  }
  checkLayout(table, await layoutOf(backend, table, signal), COLUMNS);
}

async function layoutOf(backend: ServerBackend, table: string, signal: AbortSignal): Promise<string[]> {
  const { rows } = await backend.query<{ column: string }>(
    "SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' " +
      "ELSE '' END || CASE WHEN c.collname IN ('C', 'POSIX') THEN ' COLLATE C' ELSE '' END || " +
      "CASE WHEN p.conkey = ARRAY[a.attnum] THEN ' PRIMARY KEY' ELSE '' END AS column " +
      'FROM pg_attribute a LEFT JOIN pg_collation c ON c.oid = a.attcollation ' +
      "LEFT JOIN pg_constraint p ON p.conrelid = a.attrelid AND p.contype = 'p' " +
      'WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum',
    [table],
    signal,
  );
  return rows.map(({ column }) => column);
}

/** What a setting must not be, and what happens then. */
const WEAK: Readonly<Record<string, { readonly is: string; readonly expected: string; readonly risk: string }>> = {
  fsync: { is: 'off', expected: 'on', risk: 'the machine or its power fails' },
  full_page_writes: { is: 'off', expected: 'on', risk: 'the power fails while a page is written' },
  synchronous_commit: {
    is: 'off',
    expected: 'on, or another value but off',
    risk: 'the server or its machine fails',
  },
};

/**
 * Looks at what the server promises.
 *
 * @throws DataUnavailableException for a database that is not encoded in UTF-8.
 * @see https://www.postgresql.org/docs/current/runtime-config-wal.html
 */
export async function checkPostgresSettings(
  backend: ServerBackend,
  _table: string,
  signal: AbortSignal,
): Promise<WeakSetting[]> {
  const { rows } = await backend.query<{ name: string; setting: string }>(
    'SELECT name, setting FROM pg_settings WHERE name = ANY($1) ORDER BY name',
    [[...Object.keys(WEAK), 'server_encoding']],
    signal,
  );
  const encoding = rows.find(({ name }) => name === 'server_encoding')?.setting;
  if (encoding !== 'UTF8') {
    throw new DataUnavailableException(`The database is encoded in ${String(encoding)}; expected UTF8`);
  }
  return rows.flatMap(({ name, setting }) => {
    const weak = WEAK[name];
    return weak?.is === setting ? [{ name, value: setting, expected: weak.expected, risk: weak.risk }] : [];
  });
}
