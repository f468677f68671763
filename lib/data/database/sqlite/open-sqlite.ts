import { existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type Libsql from 'libsql';
import { DataAccessException, DataUnavailableException } from '../../port/errors.js';
import { fileProblem } from '../../port/file-problem.js';
import { IN_MEMORY } from '../database-address.js';
import type { DataTables } from '../database-backend.js';
import { loadDriver } from '../load-driver.js';
import { checkLayout } from '../table-layout.js';
import { SqliteBackend } from './sqlite-backend.js';
import { cacheStatements } from './statement-cache.js';

const PACKAGES = 'kysely libsql';

/**
 * How long, in ms, the driver itself waits for a lock; the process stands still meanwhile. It only bridges the moment
 * in which another process commits, the rest of the wait is asynchronous.
 */
const DRIVER_LOCK_WAIT_MS = 5;

/**
 * Opens a database file, created where it is missing, and the table in it.
 *
 * @param path absolute, or `:memory:`.
 */
export async function openSqlite(path: string, table: string): Promise<SqliteBackend> {
  const { Kysely, SqliteDialect } = await loadDriver('kysely', PACKAGES, () => import('kysely'));
  const { default: Database } = await loadDriver('libsql', PACKAGES, () => import('libsql'));
  if (path !== IN_MEMORY) await prepareFile(path);
  const database = connect(Database, path);
  const dialect = new SqliteDialect({ database: cacheStatements(database) });
  const backend = new SqliteBackend(new Kysely<DataTables>({ dialect }), table);
  try {
    await backend.run(async () => {
      configure(database, path);
      createTable(database, table);
    });
    // The query builder keeps the promise of its first query, which had better not be a request's.
    await backend.execute(backend.queries.selectFrom(table).select('version').where('key', '=', ''));
    return backend;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Made here, so that the database and the files beside it, which get its rights, are this user's alone. */
async function prepareFile(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await (await open(path, 'a', 0o600)).close();
  } catch (error) {
    // A database that may only be read can still be opened.
    const { code } = error as NodeJS.ErrnoException;
    const isReadOnly = (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') && existsSync(path);
    if (!isReadOnly) throw fileProblem(`The SQLite database ${path} cannot be opened`, error);
  }
}

function connect(Database: typeof Libsql, path: string): Libsql.Database {
  try {
    return new Database(path);
  } catch (cause) {
    throw new DataAccessException(`The SQLite database ${path} cannot be opened: ${String(cause)}`, { cause });
  }
}

function configure(database: Libsql.Database, path: string): void {
  database.exec(`PRAGMA busy_timeout = ${DRIVER_LOCK_WAIT_MS}`);
  // Readers and the writer of several processes do not block each other.
  pragma(database, 'journal_mode = WAL');
  // Only FULL syncs the log at every commit; anything less loses acknowledged writes when the power fails.
  database.exec('PRAGMA synchronous = FULL');
  // On macOS a sync reaches the disk only so; elsewhere this changes nothing.
  database.exec('PRAGMA fullfsync = ON');
  // In a UTF-16 database keys would be compared by other bytes.
  const encoding = pragma(database, 'encoding');
  if (encoding !== 'UTF-8') {
    throw new DataUnavailableException(`The SQLite database ${path} is encoded in ${String(encoding)}; expected UTF-8`);
  }
}

/** The name has been checked to need no quotes but these. */
function createTable(database: Libsql.Database, table: string): void {
  database.exec(
    `CREATE TABLE IF NOT EXISTS "${table}" ("key" TEXT PRIMARY KEY NOT NULL, "value" TEXT, "version" TEXT NOT NULL)`,
  );
  const columns = database.prepare(`PRAGMA table_info("${table}")`).all() as SqliteColumn[];
  checkLayout(table, columns.map(describeColumn), COLUMNS);
}

/** As `PRAGMA table_info` has it. */
interface SqliteColumn {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly pk: number;
}

const COLUMNS = ['key TEXT NOT NULL PRIMARY KEY', 'value TEXT', 'version TEXT NOT NULL'];

function describeColumn({ name, type, notnull, pk }: SqliteColumn): string {
  return `${name} ${type}${notnull ? ' NOT NULL' : ''}${pk ? ' PRIMARY KEY' : ''}`;
}

/** What a pragma answers. */
function pragma(database: Libsql.Database, text: string): unknown {
  const [row] = database.prepare(`PRAGMA ${text}`).all();
  return Object.values(row ?? {})[0];
}
