import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileLib } from '../../support/compiled-lib.js';
import { EtcdServer, etcdMissing } from '../../support/servers/etcd-cluster.js';
import { freePort } from '../../support/servers/free-port.js';
import { RedisServer, redisMissing } from '../../support/servers/redis-server.js';

const missing = etcdMissing() ?? redisMissing();
/** Whatever hangs is ended then. */
const HANGS_MS = 15_000;

/** An app with all that a fleet has, in which something is wrong: it says so, and its process has nothing left to do. */
const PROGRAM = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceModule } from './index.js';
import { EtcdService, ResilienceEtcdModule } from './cluster/etcd/index.js';
import { ResilienceRedisModule } from './cluster/redis/index.js';

const [host, url, fault, afterMs] = process.argv.slice(2);
const late = () => new Promise((resolve) => setTimeout(resolve, Number(afterMs)));
class Stock {
  constructor(etcd) {
    this.endpoints = etcd.endpoints('stock');
    if (fault === 'constructor') throw new Error('wrong');
  }
  onModuleInit() {
    if (fault === 'onModuleInit') throw new Error('wrong');
  }
  async onApplicationBootstrap() {
    if (fault !== 'onApplicationBootstrap') return;
    await late();
    throw new Error('wrong');
  }
}
Reflect.defineMetadata('design:paramtypes', [EtcdService], Stock);
const etcd = { hosts: host, rules: true, commands: true, breakers: 'follow', discovery: { service: 'stock', address: 'here' } };
class AppModule {}
Module({
  imports: [ResilienceModule.forRoot(), ResilienceEtcdModule.forRoot(etcd), ResilienceRedisModule.forRoot({ url })],
  providers: [Stock],
})(AppModule);
try {
  await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  console.log('started');
} catch (error) {
  console.log(error.message);
}
`;

describe.skipIf(missing)('a process whose app does not start', () => {
  let folder: string;
  let etcd: EtcdServer;
  let redis: RedisServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bulwark-failed-'));
    await compileLib(folder);
    await writeFile(join(folder, 'program.js'), PROGRAM);
    [etcd, redis] = await Promise.all([EtcdServer.create(), RedisServer.create()]);
  });
  afterAll(async () => {
    await Promise.all([etcd?.remove(), redis?.remove()]);
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs it to its end; null: it does not end by itself. */
  async function run(
    host: string,
    url: string,
    fault: string,
    afterMs = 0,
  ): Promise<{ said: string; code: number | null }> {
    const args = [join(folder, 'program.js'), host, url, fault, String(afterMs)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const tooLong = setTimeout(() => child.kill('SIGKILL'), HANGS_MS);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(tooLong);
    return { said: said.trim(), code };
  }

  it.each([
    ['constructor', 0],
    ['onModuleInit', 0],
    ['onApplicationBootstrap', 0],
    ['onApplicationBootstrap', 200],
  ])('ends by itself, when %s of a provider throws after %d ms', async (fault, afterMs) => {
    expect(await run(etcd.host(), redis.url, fault, afterMs)).toEqual({ said: 'wrong', code: 0 });
  });

  it('ends by itself, when neither etcd nor Redis is there either', async () => {
    const [host, url] = [`http://127.0.0.1:${await freePort()}`, `redis://127.0.0.1:${await freePort()}`];

    expect(await run(host, url, 'onApplicationBootstrap')).toEqual({ said: 'wrong', code: 0 });
  });
});
