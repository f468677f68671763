import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, isInstalled, startProgram, startServer, stop } from './child.js';
import { helpForFleet, helpToInstall } from './help.js';

const SHOPS = 3;

const program = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const missing = [
  ...(process.env['ETCD_HOSTS'] === undefined && !isInstalled('etcd') ? ['etcd'] : []),
  ...(process.env['REDIS_URL'] === undefined && !isInstalled('redis-server') ? ['redis-server'] : []),
];
if (missing.length > 0) {
  process.stderr.write(helpToInstall(missing));
  process.exit(1);
}

const folder = await mkdtemp(join(tmpdir(), 'shops-'));
const servers: ChildProcess[] = [];
const shops: ChildProcess[] = [];

/** Shops first: they have something to say to their servers. */
async function close(): Promise<void> {
  await Promise.all(shops.map((shop) => stop(shop, 'SIGINT')));
  await Promise.all(servers.map((server) => stop(server)));
  await rm(folder, { recursive: true, force: true });
}

async function startEtcd(): Promise<string> {
  const [port, peers] = [await freePort(), await freePort()];
  const [url, peerUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peers}`];
  const own = ['--data-dir', join(folder, 'etcd'), '--listen-client-urls', url, '--advertise-client-urls', url];
  servers.push(await startServer('etcd', [...own, '--listen-peer-urls', peerUrl], port));
  return url;
}

async function startRedis(): Promise<string> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  servers.push(await startServer('redis-server', args, port));
  return `redis://127.0.0.1:${port}`;
}

async function startUpstream(): Promise<string> {
  const upstream = startProgram(program('../upstream/main.js'), 'upstream', process.env);
  servers.push(upstream);
  const [{ port }] = (await once(upstream, 'message')) as [{ port: number }];
  return `http://127.0.0.1:${port}`;
}

async function startShop(number: number, env: Record<string, string>): Promise<string> {
  const port = Number(process.env['PORT'] ?? 3000) + number;
  const shop = startProgram(program('../main.js'), `shop-${number}`, {
    ...process.env,
    ...env,
    PORT: String(port),
    DATA_DIR: join(folder, `shop-${number}`),
  });
  shops.push(shop);
  const opened = new Promise((resolve) => {
    shop.stdout?.on('data', (text: string) => {
      if (text.includes('The shop is open at')) resolve(undefined);
    });
  });
  const ended = once(shop, 'exit').then(() => Promise.reject(new Error(`shop-${number} did not open`)));
  await Promise.race([opened, ended]);
  ended.catch(() => undefined);
  return `http://127.0.0.1:${port}`;
}

let closing: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    closing ??= close().then(() => process.exit());
  });

try {
  const etcd = process.env['ETCD_HOSTS'] ?? (await startEtcd());
  const redis = process.env['REDIS_URL'] ?? (await startRedis());
  const upstream = await startUpstream();
  const env = { ETCD_HOSTS: etcd, REDIS_URL: redis, UPSTREAM_URL: upstream };
  const urls = await Promise.all(Array.from({ length: SHOPS }, (_, index) => startShop(index + 1, env)));
  process.stdout.write(helpForFleet(urls, etcd));
} catch (error) {
  if (closing === undefined) {
    process.stderr.write(`${String(error)}\n`);
    await close();
    process.exitCode = 1;
  }
}
