import type { Connection, ConnectionOptions, createConnection as CreateConnection } from 'mysql2';
import type { Answer } from '../database-backend.js';
import type { ServerAddress } from '../server/server-address.js';
import { ServerConnection, serverSocket } from '../server/server-connection.js';
import type { TlsMaterial } from '../server/tls-request.js';

/** A time limit of the server's cannot be shorter, in seconds. */
const SHORTEST_LOCK_WAIT_S = 1;
/** Statements are of a handful of shapes, so this many prepared ones are never reached. */
const MAX_PREPARED = 64;

/** How connections are made. */
export interface MysqlConnectionSettings {
  readonly createConnection: typeof CreateConnection;
  readonly address: ServerAddress;
  readonly tls: TlsMaterial | undefined;
  /** In ms. */
  readonly connectTimeout: number;
  /** In ms. */
  readonly queryTimeout: number;
}

/** Opens a connection and makes its session one on which nothing is acknowledged that was not committed. */
export async function connectMysql(
  settings: MysqlConnectionSettings,
  onLost: (connection: ServerConnection) => void,
): Promise<ServerConnection> {
  const { address, connectTimeout, queryTimeout } = settings;
  const socket = serverSocket();
  const connection = settings.createConnection({
    ...optionsOf(settings),
    stream: () =>
      address.socket === undefined ? socket.connect(address.port, address.host) : socket.connect(address.socket),
  });
  // Each query tells its own caller of it.
  connection.on('error', () => undefined);
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${connectTimeout} ms`)),
    connectTimeout,
  );
  try {
    await connected(connection);
    // A statement whose caller is gone waits no longer for its lock.
    const lockWait = Math.max(SHORTEST_LOCK_WAIT_S, Math.ceil(queryTimeout / 1_000));
    await run(connection, `SET NAMES utf8mb4, autocommit = 1, SESSION innodb_lock_wait_timeout = ${lockWait}`);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return new ServerConnection(
    socket,
    {
      query: (sql, parameters) => send(connection, sql, parameters),
      sayGoodbye: () => connection.end(),
    },
    onLost,
  );
}

function optionsOf({ address, tls }: MysqlConnectionSettings): ConnectionOptions {
  const { host, port, user, password, database } = address;
  return {
    host,
    port,
    ...(user === undefined ? {} : { user }),
    password,
    database,
    charset: 'utf8mb4',
    // Without FOUND_ROWS an upsert that changed nothing is told from an insert; nobody may ask for local files.
    flags: ['-FOUND_ROWS', '-LOCAL_FILES'],
    // The connection is given up from outside, by its socket.
    connectTimeout: 0,
    maxPreparedStatements: MAX_PREPARED,
    ...(tls === undefined ? {} : { ssl: sslOf(tls, address) }),
  };
}

/** `verifyIdentity` is the driver's word for a certificate that must name the host. */
function sslOf({ ca, rejectUnauthorized }: TlsMaterial, { tls }: ServerAddress): NonNullable<ConnectionOptions['ssl']> {
  return { ...(ca === undefined ? {} : { ca }), rejectUnauthorized, verifyIdentity: tls?.mode === 'verify-full' };
}

function connected(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
}

function run(connection: Connection, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.query(sql, (error) => (error ? reject(error) : resolve()));
  });
}

/** Prepared on the server, so that values are sent as they are, whatever the server takes for an escape. */
function send(connection: Connection, sql: string, parameters: readonly unknown[]): Promise<Answer<unknown>> {
  return new Promise((resolve, reject) => {
    connection.execute(sql, [...parameters] as never[], (error, result) => {
      if (error) return reject(error);
      if (!Array.isArray(result)) return resolve({ rows: [], changed: result.affectedRows });
      resolve({ rows: result.map(withText), changed: 0 });
    });
  });
}

/** Columns that are compared as bytes come as bytes. */
function withText(row: unknown): unknown {
  const entries = Object.entries(Object(row) as Record<string, unknown>);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString('utf8') : value]),
  );
}
