import type { ResolvedServerOptions } from '../database-options.js';
import { loadDriver } from '../load-driver.js';
import { openServer } from '../server/open-server.js';
import type { ServerBackend } from '../server/server-backend.js';
import { connectMysql } from './mysql-connection.js';
import { mysqlDialect } from './mysql-dialect.js';
import { checkMysqlSettings, prepareMysqlTable } from './mysql-start.js';

const PACKAGES = 'kysely mysql2';

/** Connects to a MySQL or MariaDB server and creates the table where it is missing. */
export async function openMysql(options: ResolvedServerOptions): Promise<ServerBackend> {
  const dialect = await mysqlDialect(options.table, PACKAGES);
  const { createConnection } = await loadDriver('mysql2', PACKAGES, () => import('mysql2'));
  return openServer(options, {
    dialect,
    lacksTls: (error) => (Object(error) as { code?: unknown }).code === 'HANDSHAKE_NO_SSL_SUPPORT',
    connect: (tls, onLost) => connectMysql({ ...options, createConnection, tls }, onLost),
    prepareTable: prepareMysqlTable,
    checkSettings: checkMysqlSettings,
  });
}
