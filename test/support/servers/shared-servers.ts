import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import pg from 'pg';

/** A server that many tests share; each uses tables of its own. */
export interface SharedServer {
  readonly name: string;
  readonly url: string;
  /** Why tests on it are skipped; undefined: it answers. */
  readonly missing: string | undefined;
  run(sql: string): Promise<void>;
}

/** `MYSQL_URL`, or the MySQL or MariaDB on this machine. */
export const mysqlServer = (): Promise<SharedServer> =>
  probe(
    'MySQL',
    'MYSQL_URL',
    process.env['MYSQL_URL'] ?? 'mysql://root@127.0.0.1:3306/test',
    'docker run -p 3306:3306 -e MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1 -e MARIADB_DATABASE=test mariadb',
    async (url, sql) => {
      const connection = await mysql.createConnection({ uri: url, connectTimeout: 2_000 });
      await connection.query(sql).finally(() => connection.destroy());
    },
  );

/** `POSTGRES_URL`, or the PostgreSQL on this machine. */
export const postgresServer = (): Promise<SharedServer> =>
  probe(
    'PostgreSQL',
    'POSTGRES_URL',
    process.env['POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test',
    'docker run -p 5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust -e POSTGRES_DB=test postgres',
    async (url, sql) => {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
      await client.connect();
      await client.query(sql).finally(() => client.end());
    },
  );

/** The name of a table that no other run uses. */
export const randomTable = (): string => `bulwark_test_${randomBytes(6).toString('hex')}`;

async function probe(
  name: string,
  variable: string,
  url: string,
  howToGet: string,
  run: (url: string, sql: string) => Promise<void>,
): Promise<SharedServer> {
  const server = { name, url, run: (sql: string) => run(url, sql) };
  try {
    await server.run('SELECT 1');
    return { ...server, missing: undefined };
  } catch (error) {
    const reason = error instanceof Error && error.message !== '' ? error.message : String(error);
    const missing = `skipped: ${name} does not answer (${reason}); set ${variable}, or: ${howToGet}`;
    if (process.env['CI'] === 'true') throw new Error(missing, { cause: error });
    console.warn(missing);
    return { ...server, missing };
  }
}
