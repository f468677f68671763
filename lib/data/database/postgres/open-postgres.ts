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
  const { schema } = options.address;
  const dialect = await postgresDialect(options.table, schema, PACKAGES);
  const { Client } = await loadDriver('pg', PACKAGES, () => import('pg'));
  return openServer(options, {
    dialect,
    lacksTls: (error) => error instanceof Error && error.message.includes('does not support SSL'),
    connect: (tls, onLost) => connectPostgres({ ...options, Client, tls }, onLost),
    prepareTable: (backend, table, signal) => preparePostgresTable(backend, schema, table, signal),
    checkSettings: checkPostgresSettings,
  });
}
