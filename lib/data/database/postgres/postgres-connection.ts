import type { Client } from 'pg';
import type { Answer } from '../database-backend.js';
import type { ServerAddress } from '../server/server-address.js';
import { ServerConnection, serverSocket } from '../server/server-connection.js';
import type { TlsMaterial } from '../server/tls-request.js';

/** How connections are made. */
export interface PostgresConnectionSettings {
  readonly Client: typeof Client;
  readonly address: ServerAddress;
  readonly tls: TlsMaterial | undefined;
  /** In ms. */
  readonly connectTimeout: number;
  /** In ms. */
  readonly queryTimeout: number;
}

/** Opens a connection. */
export async function connectPostgres(
  { Client, address, tls, connectTimeout, queryTimeout }: PostgresConnectionSettings,
  onLost: (connection: ServerConnection) => void,
): Promise<ServerConnection> {
  const { host, port, socket: socketFolder, user, password, database, startup, pooled } = address;
  const socket = serverSocket();
  const client = new Client({
    // The driver makes the name of the socket of these two.
    host: socketFolder ?? host,
    port,
    user,
    password,
    database,
    stream: () => socket,
    ...startup,
    ssl: tls === undefined ? false : sslOf(tls, address),
  });
  // Each query tells its own caller of it; one that is idle takes no further one.
  client.on('error', () => socket.destroy());
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${connectTimeout} ms`)),
    connectTimeout,
  );
  try {
    await client.connect();
    // A statement whose caller is gone ends, too. Sent here, since poolers refuse it when the connection starts.
    // Behind a pooler it would stay with a session that is another client's next.
    if (!pooled) await client.query("SELECT set_config('statement_timeout', $1, false)", [String(queryTimeout)]);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return new ServerConnection(
    socket,
    { query: (sql, parameters) => send(client, sql, parameters), sayGoodbye: () => void client.end().catch(ignore) },
    onLost,
  );
}

function sslOf({ ca, rejectUnauthorized }: TlsMaterial, { tls }: ServerAddress): object {
  return {
    ...(ca === undefined ? {} : { ca }),
    rejectUnauthorized,
    ...(tls?.mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

async function send(client: Client, sql: string, parameters: readonly unknown[]): Promise<Answer<unknown>> {
  const { command, rows, rowCount } = await client.query(sql, [...parameters]);
  return { rows, changed: command === 'SELECT' ? 0 : (rowCount ?? 0) };
}

function ignore(): void {}
