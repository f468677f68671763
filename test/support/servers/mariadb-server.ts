import { spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { freePort } from './free-port.js';
import { missingServer, OwnServer, runToEnd, type ServerCommand } from './own-server.js';

/** Why a server of its own cannot be started here; undefined: it can. */
export function mariaDbMissing(): string | undefined {
  const isThere = spawnSync('sh', ['-c', 'command -v mariadbd mariadb-install-db']).status === 0;
  return isThere ? undefined : missingServer('mariadbd', 'mariadb-server');
}

/** A MariaDB server of a test's own, which syncs at every commit. */
export class MariaDbServer extends OwnServer {
  private constructor(
    folder: string,
    port: number,
    private readonly id: number,
    private readonly options: readonly string[],
  ) {
    super(folder, port);
  }

  /**
   * A running server with a database `test`.
   *
   * @param options more of the server's own: `--read-only`.
   */
  static async create(id = 1, options: readonly string[] = []): Promise<MariaDbServer> {
    const folder = await mkdtemp(join(tmpdir(), 'bulwark-mariadb-'));
    const args = ['--no-defaults', '--auth-root-authentication-method=normal', '--user=root', '--skip-test-db'];
    const install = (): Promise<void> =>
      runToEnd({ file: 'mariadb-install-db', args: [...args, `--datadir=${folder}`] }, folder);
    // Of two that are installed at the same moment one may fail.
    await install().catch(install);
    const server = new MariaDbServer(folder, await freePort(), id, options);
    await server.start();
    await server.query('CREATE DATABASE test');
    return server;
  }

  /** Where it keeps its data, and its socket `s`. */
  get dataFolder(): string {
    return this.folder;
  }

  url(port = this.port): string {
    return `mysql://root@127.0.0.1:${port}/test`;
  }

  async query(sql: string, values: unknown[] = []): Promise<RowDataPacket[]> {
    let connection: Connection | undefined;
    try {
      connection = await createConnection({ host: '127.0.0.1', port: this.port, user: 'root', connectTimeout: 2_000 });
      const [rows] = await connection.query<RowDataPacket[]>(sql, values);
      return rows;
    } finally {
      connection?.destroy();
    }
  }

  /** Makes it a replica of another server, from that one's beginning on. */
  async replicate(primary: MariaDbServer): Promise<void> {
    await this.query(
      `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${primary.port}, MASTER_USER='root', ` +
        'MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos',
    );
    await this.query('START SLAVE');
  }

  protected override command(): ServerCommand {
    return {
      file: 'mariadbd',
      args: [
        '--no-defaults',
        '--user=root',
        `--datadir=${this.folder}`,
        `--socket=${join(this.folder, 's')}`,
        `--port=${this.port}`,
        '--bind-address=127.0.0.1',
        `--server-id=${this.id}`,
        '--log-bin=binlog',
        '--sync-binlog=1',
        '--innodb-flush-log-at-trx-commit=1',
        '--innodb-buffer-pool-size=32M',
        '--max-connections=500',
        ...this.options,
      ],
    };
  }

  protected override probe(): Promise<unknown> {
    return this.query('SELECT 1');
  }
}
