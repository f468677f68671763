import type { ResolvedServerOptions } from '../database-options.js';
import { loadDriver } from '../load-driver.js';
import { openServer } from '../server/open-server.js';
import type { ServerBackend } from '../server/server-backend.js';
import { connectPostgres } from './postgres-connection.js';
import { postgresDialect } from './postgres-dialect.js';
import { checkPostgresSettings, preparePostgresTable } from './postgres-start.js';

const PACKAGES = 'kysely pg';

/** Connects to a PostgreSQL server and creates the table where it is missing. */
export async function openPostgres(options: ResolvedServerOptions): Promise<ServerBackend> {
  const dialect = await postgresDialect(options.table, PACKAGES);
  const { Client } = await loadDriver('pg', PACKAGES, () => import('pg'));
  return openServer(options, {
    dialect,
    connect: (tls, onLost) => connectPostgres({ ...options, Client, tls }, onLost),
    prepareTable: preparePostgresTable,
    checkSettings: checkPostgresSettings,
  });
}
