import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { freePort } from './free-port.js';

const START_MS = 30_000;

/** Why a server of its own cannot be started here; undefined: it can. */
export function mariaDbMissing(): string | undefined {
  const isThere = spawnSync('sh', ['-c', 'command -v mariadbd mariadb-install-db']).status === 0;
  if (isThere) return undefined;
  if (process.env['CI'] === 'true') throw new Error('mariadbd is missing: apt-get install mariadb-server');
  return 'mariadbd is missing: apt-get install mariadb-server';
}

/** A MariaDB server of a test's own, on a free port and in a temporary folder. */
export class MariaDbServer {
  #process: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    readonly port: number,
    private readonly id: number,
  ) {}

  /** A running server with a database `test`. */
  static async create(id = 1): Promise<MariaDbServer> {
    const folder = await mkdtemp(join(tmpdir(), 'bulwark-mariadb-'));
    const install = spawn(
      'mariadb-install-db',
      [
        '--no-defaults',
        '--auth-root-authentication-method=normal',
        '--user=root',
        `--datadir=${folder}`,
        '--skip-test-db',
      ],
      { stdio: 'ignore' },
    );
    const [code] = (await once(install, 'exit')) as [number];
    if (code !== 0) throw new Error(`mariadb-install-db ended with ${code}`);
    const server = new MariaDbServer(folder, await freePort(), id);
    await server.start();
    await server.query('CREATE DATABASE test');
    return server;
  }

  url(port = this.port): string {
    return `mysql://root@127.0.0.1:${port}/test`;
  }

  /** Starts it, unless it runs, and waits until it answers. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const server = spawn(
      'mariadbd',
      [
        '--no-defaults',
        '--user=root',
        `--datadir=${this.folder}`,
        `--socket=${join(this.folder, 's')}`,
        `--port=${this.port}`,
        '--bind-address=127.0.0.1',
        `--server-id=${this.id}`,
        '--log-bin=binlog',
        '--innodb-flush-log-at-trx-commit=1',
        '--innodb-buffer-pool-size=32M',
        '--max-connections=500',
      ],
      { stdio: 'ignore' },
    );
    this.#process = server;
    for (const end = performance.now() + START_MS; ;) {
      try {
        return await this.query('SELECT 1').then(() => undefined);
      } catch (error) {
        if (performance.now() > end || server.exitCode !== null) throw error;
        await delay(50);
      }
    }
  }

  /** Ends it in order, or, with SIGKILL, as if the power had failed. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const server = this.#process;
    if (server === undefined) return;
    this.#process = undefined;
    // Nothing else has this id while the child was not waited for.
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
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
}
