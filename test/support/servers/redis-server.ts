import { spawnSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { missingServer, OwnServer, type ServerCommand } from './own-server.js';

/** Why a server of its own cannot be started here; undefined: it can. */
export function redisMissing(): string | undefined {
  const found = spawnSync('redis-server', ['--version'], { stdio: 'ignore' });
  return found.status === 0 ? undefined : missingServer('redis-server', 'redis-server');
}

/** A Redis of a test's own, which keeps nothing on disk. */
export class RedisServer extends OwnServer {
  private constructor(
    folder: string,
    port: number,
    private readonly options: readonly string[],
  ) {
    super(folder, port);
  }

  /** @param options settings of the server's own: `--maxmemory`, `3mb`. */
  static async create(options: readonly string[] = []): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'bulwark-redis-'));
    const server = new RedisServer(folder, await freePort(), options);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Runs one command on a connection of its own. */
  run(command: string, ...args: (string | number)[]): Promise<unknown> {
    return runOn(this.url, command, args);
  }

  /** How often a script was run. */
  async asks(): Promise<number> {
    const stats = String(await this.run('INFO', 'commandstats'));
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }

  protected override command(): ServerCommand {
    const always = ['--bind', '127.0.0.1', '--port', String(this.port), '--save', '', '--appendonly', 'no'];
    return { file: 'redis-server', args: [...always, ...this.options] };
  }

  protected override probe(): Promise<unknown> {
    return this.run('PING');
  }
}

/** After how long without an answer it puts a replica in the place of a master, and how long it gives that, ms. */
const DOWN_MS = 1_000;
const FAILOVER_MS = 5_000;

/** A Sentinel that watches one server, and its replicas. */
export class RedisSentinel extends OwnServer {
  static async create(port: number, watched: number): Promise<RedisSentinel> {
    const folder = await mkdtemp(join(tmpdir(), 'bulwark-sentinel-'));
    const config = `port ${port}\nbind 127.0.0.1\ndir ${folder}\nsentinel monitor main 127.0.0.1 ${watched} 1
sentinel down-after-milliseconds main ${DOWN_MS}\nsentinel failover-timeout main ${FAILOVER_MS}\n`;
    await writeFile(join(folder, 'sentinel.conf'), config);
    const sentinel = new RedisSentinel(folder, port);
    await sentinel.start();
    return sentinel;
  }

  /** What it knows of the master, or of its replicas, as Redis says it. */
  ask(what: 'GET-MASTER-ADDR-BY-NAME' | 'REPLICAS'): Promise<unknown> {
    return runOn(`redis://127.0.0.1:${this.port}`, 'SENTINEL', [what, 'main']);
  }

  protected override command(): ServerCommand {
    return { file: 'redis-server', args: [join(this.folder, 'sentinel.conf'), '--sentinel'] };
  }

  protected override probe(): Promise<unknown> {
    return this.ask('GET-MASTER-ADDR-BY-NAME');
  }
}

/** Runs one command on a connection of its own. */
async function runOn(url: string, command: string, args: readonly (string | number)[]): Promise<unknown> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}
