import { join } from 'node:path';

export const DATA_BACKENDS = ['file', 'database', 'failover'] as const;

/** What the environment decides. */
export interface Settings {
  /** HOST; loopback by default, since the sample's control endpoints are open to all who reach it. */
  readonly host: string;
  /** PORT; 0 takes a free one. */
  readonly port: number;
  /** DATA_BACKEND. */
  readonly dataBackend: (typeof DATA_BACKENDS)[number];
  /** DATA_DIR, relative to the working directory or absolute. */
  readonly dataFolder: string;
  /** DATABASE_URL, for the backends that have a database; an SQLite file in DATA_DIR by default. */
  readonly databaseUrl: string;
  /** SHUTDOWN_DELAY_MS; how long the shop goes on as before when it is told to close: a load balancer needs time to hear of it, ms. */
  readonly shutdownDelayMs: number;
  /** SHUTDOWN_GRACE_MS; how long requests under way may take to end after that, ms. */
  readonly shutdownGraceMs: number;
  /** ETCD_HOSTS, separated by commas; the shop is one of a fleet then. */
  readonly etcdHosts: readonly string[] | undefined;
  /** REDIS_URL; limits that the fleet shares are counted there. */
  readonly redisUrl: string | undefined;
  /** UPSTREAM_URL; a provider that others share. By default the shop keeps one of its own. */
  readonly upstreamUrl: string | undefined;
}

/** The DI token of {@link Settings}. */
export const SETTINGS = Symbol('settings');

/** @throws Error that says what was found and what was expected. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const {
    HOST = '127.0.0.1',
    PORT = '3000',
    DATA_BACKEND = 'file',
    DATA_DIR = '.data',
    SHUTDOWN_DELAY_MS = '0',
    SHUTDOWN_GRACE_MS = '10000',
  } = env;
  const port = Number(PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`PORT is '${PORT}'; expected a number from 0 to 65535`);
  }
  const shutdownDelayMs = milliseconds('SHUTDOWN_DELAY_MS', SHUTDOWN_DELAY_MS);
  const shutdownGraceMs = milliseconds('SHUTDOWN_GRACE_MS', SHUTDOWN_GRACE_MS);
  const dataBackend = DATA_BACKENDS.find((known) => known === DATA_BACKEND);
  if (dataBackend === undefined) {
    throw new Error(`DATA_BACKEND is '${DATA_BACKEND}'; expected one of: ${DATA_BACKENDS.join(', ')}`);
  }
  const { DATABASE_URL = `sqlite:${join(DATA_DIR, 'shop.db')}`, ETCD_HOSTS, REDIS_URL, UPSTREAM_URL } = env;
  return {
    host: HOST,
    port,
    dataBackend,
    dataFolder: DATA_DIR,
    databaseUrl: DATABASE_URL,
    shutdownDelayMs,
    shutdownGraceMs,
    etcdHosts: ETCD_HOSTS?.split(','),
    redisUrl: REDIS_URL,
    upstreamUrl: UPSTREAM_URL,
  };
}

function milliseconds(name: string, text: string): number {
  const ms = Number(text);
  if (!Number.isInteger(ms) || ms < 0 || ms > 600_000) {
    throw new Error(`${name} is '${text}'; expected a number of ms from 0 to 600000`);
  }
  return ms;
}
