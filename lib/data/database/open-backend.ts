import type { DatabaseBackend } from './database-backend.js';
import type { ResolvedDatabaseOptions } from './database-options.js';
import { openMysql } from './mysql/open-mysql.js';
import { openPostgres } from './postgres/open-postgres.js';
import { openSqlite } from './sqlite/open-sqlite.js';

/** Opens the database that the options name. A new kind of database is one folder and one case here. */
export function openBackend(options: ResolvedDatabaseOptions): Promise<DatabaseBackend> {
  const { address, table } = options;
  switch (address.kind) {
    case 'sqlite':
      return openSqlite(address.path, table);
    case 'mysql':
      return openMysql({ ...options, address });
    case 'postgres':
      return openPostgres({ ...options, address });
  }
}
