import type { DatabaseBackend } from './database-backend.js';
import type { ResolvedDatabaseOptions } from './database-options.js';
import { openSqlite } from './sqlite/open-sqlite.js';

/** Opens the database that the options name. A new kind of database is one folder and one case here. */
export function openBackend({ address, table }: ResolvedDatabaseOptions): Promise<DatabaseBackend> {
  switch (address.kind) {
    case 'sqlite':
      return openSqlite(address.path, table);
  }
}
