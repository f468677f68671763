import { spawnSync } from 'node:child_process';
import { chown, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.js';
import { missingServer, OwnServer, runToEnd, type ServerCommand } from './own-server.js';

/** Where Debian keeps the programs of each version. */
const VERSIONS = '/usr/lib/postgresql';

/** Why a server of its own cannot be started here; undefined: it can. */
export async function postgresMissing(): Promise<string | undefined> {
  return (await programs()) === undefined ? missingServer('initdb of PostgreSQL', 'postgresql') : undefined;
}

/** A PostgreSQL server of a test's own, which syncs at every commit. */
export class PostgresServer extends OwnServer {
  private constructor(
    folder: string,
    port: number,
    private readonly bin: string,
    private readonly uid: number | undefined,
    private readonly options: readonly string[],
  ) {
    super(folder, port);
  }

  /**
   * A running server with a database `test`.
   *
   * @param options settings of the server's own: `synchronous_commit=off`.
   */
  static async create(options: readonly string[] = []): Promise<PostgresServer> {
    const bin = await programs();
    if (bin === undefined) throw new Error('expected a PostgreSQL on this machine');
    const folder = await mkdtemp(join(tmpdir(), 'bulwark-postgres-'));
    const uid = postgresUser();
    if (uid !== undefined) await chown(folder, uid, uid);
    const args = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'];
    await runToEnd({ file: join(bin, 'initdb'), args, uid }, folder);
    const server = new PostgresServer(folder, await freePort(), bin, uid, options);
    await server.start();
    await server.query('CREATE DATABASE test', 'postgres');
    return server;
  }

  /** Where it keeps its data, and who may come in: `pg_hba.conf`. */
  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  url(port = this.port): string {
    return `postgres://postgres@127.0.0.1:${port}/test`;
  }

  async query(sql: string, database = 'test'): Promise<unknown[]> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.port,
      user: 'postgres',
      database,
      connectionTimeoutMillis: 2_000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  protected override command(): ServerCommand {
    const settings = [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=200',
      'shared_buffers=32MB',
      ...this.options,
    ];
    return {
      file: join(this.bin, 'postgres'),
      args: ['-D', join(this.folder, 'data'), '-p', String(this.port), ...settings.flatMap((one) => ['-c', one])],
      uid: this.uid,
    };
  }

  protected override probe(): Promise<unknown> {
    return this.query('SELECT 1', 'postgres');
  }

  /** SIGTERM would wait for the clients to go. */
  protected override orderlyEnd(): NodeJS.Signals {
    return 'SIGINT';
  }
}

async function programs(): Promise<string | undefined> {
  const found = spawnSync('sh', ['-c', 'command -v initdb'], { encoding: 'utf8' });
  if (found.status === 0) return join(found.stdout.trim(), '..');
  const versions = await readdir(VERSIONS).catch(() => []);
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  return newest === undefined ? undefined : join(VERSIONS, String(newest), 'bin');
}

/** Whom its servers run as, where the tests are run by root, whom PostgreSQL refuses; else undefined. */
export function postgresUser(): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return Number(spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' }).stdout);
}
