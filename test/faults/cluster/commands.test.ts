import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { EtcdService, ResilienceEtcdModule } from 'nestjs-bulwark/etcd';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCluster } from '../../../lib/cluster/etcd/cli/run.js';
import { etcdMissing, EtcdServer } from '../../support/servers/etcd-cluster.js';

const missing = etcdMissing();
const SIGNED = { author: 'ann', reason: 'the bank moves' };

describe.skipIf(missing)('commands of operators, on a real etcd', () => {
  let server: EtcdServer;
  let cacheDir: string;
  let prefix: string;
  const apps: INestApplicationContext[] = [];

  beforeAll(async () => {
    server = await EtcdServer.create();
  });
  afterAll(() => server?.remove());
  beforeEach(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'bulwark-cache-'));
    prefix = `test-${Math.random()}/`;
  });
  afterEach(async () => {
    await server.start();
    await Promise.all(apps.splice(0).map((app) => app.close()));
    await rm(cacheDir, { recursive: true });
  });

  /** A process of the fleet. */
  async function member() {
    const app = await startApp({ hosts: server.host(), prefix, commands: true, cacheDir });
    apps.push(app);
    const resilience = app.get(ResilienceService);
    const breaker = resilience.circuitBreaker('payments');
    const fail = (): Promise<unknown> =>
      resilience.execute('payments', () => Promise.reject(new Error('boom'))).catch((error: unknown) => error);
    return { app, breaker, fail, etcd: app.get(EtcdService), state: () => breaker.state };
  }

  async function cli(...args: string[]) {
    let out = '';
    const code = await runCluster([...args, '--hosts', server.host(), '--prefix', prefix], {
      terminal: { out: { write: (text) => (out += text) }, err: { write: (text) => (out += text) } },
      env: {},
      readFile: () => Buffer.alloc(0),
    });
    return { code, out };
  }

  it('reach every process, those that start later too, and are taken back', async () => {
    const [one, other] = await Promise.all([member(), member()]);

    await one.etcd.command('payments', { state: 'forcedOpen', ...SIGNED });
    await expect.poll(() => [one.state(), other.state()]).toEqual(['forcedOpen', 'forcedOpen']);
    const later = await member();
    expect(later.state()).toBe('forcedOpen');
    expect(await later.fail()).toMatchObject({ code: 'CIRCUIT_OPEN' });
    await other.etcd.command('payments', { state: 'disabled', ...SIGNED });
    await expect.poll(one.state).toBe('disabled');
    await other.etcd.command('payments', { state: 'normal', ...SIGNED });

    await expect.poll(() => [one.state(), other.state(), later.state()]).toEqual(['closed', 'closed', 'closed']);
  });

  it('end by themselves, also when who gave them is gone', async () => {
    const [one, other] = [await member(), await member()];
    await one.etcd.command('payments', { state: 'forcedOpen', ...SIGNED, for: 2_000 });
    await expect.poll(other.state).toBe('forcedOpen');

    await apps.shift()?.close();

    await expect.poll(other.state).toBe('closed');
  });

  it('reset a breaker where it is open, and nothing that starts later', async () => {
    const [one, other] = [await member(), await member()];
    for (const { fail } of [one, other]) await fail();
    expect([one.state(), other.state()]).toEqual(['open', 'open']);

    await one.etcd.reset('payments', SIGNED);

    await expect.poll(() => [one.state(), other.state()]).toEqual(['closed', 'closed']);
    const later = await member();
    await later.fail();
    expect(later.state()).toBe('open');
  });

  it('hold in a process that starts without etcd, until they end; and etcd goes before the disk', async () => {
    const before = await member();
    await before.etcd.command('payments', { state: 'forcedOpen', ...SIGNED, for: 8_000 });
    await expect.poll(before.state).toBe('forcedOpen');
    await apps.shift()?.close();
    await server.stop();

    const without = await member();
    const atStart = without.state();
    await expect.poll(without.state).toBe('closed');
    await server.start();
    await without.etcd.command('payments', { state: 'disabled', ...SIGNED });

    expect(atStart).toBe('forcedOpen');
    await expect.poll(without.state).toBe('disabled');
  });

  it('come from the command line as well', async () => {
    const { state, fail } = await member();
    const ann = ['--author', 'ann', '--reason', 'moves'];

    expect(await cli('open', 'payments', '--for', '10m', ...ann)).toEqual({
      code: 0,
      out: 'payments: forced open in all processes\n',
    });
    await expect.poll(state).toBe('forcedOpen');
    expect((await cli('list')).out).toMatch(/payments {2}forcedOpen {2}\S+Z {2}ann {5}moves\n/);
    expect(JSON.parse((await cli('list', '--json')).out)).toMatchObject({ payments: { state: 'forcedOpen' } });
    await cli('disable', 'payments', ...ann);
    await expect.poll(state).toBe('disabled');
    await cli('normal', 'payments', ...ann);
    await expect.poll(state).toBe('closed');
    await fail();
    await cli('reset', 'payments', ...ann);
    await expect.poll(state).toBe('closed');
    expect((await cli('list')).out).toBe('no commands are in force\n');
  });
});

async function startApp(options: Parameters<typeof ResilienceEtcdModule.forRoot>[0]): Promise<INestApplicationContext> {
  class AppModule {}
  const circuitBreaker = { volumeThreshold: 1, resetTimeout: 600_000 };
  Module({
    imports: [
      ResilienceModule.forRoot({ policies: { payments: { circuitBreaker } } }),
      ResilienceEtcdModule.forRoot(options),
    ],
  })(AppModule);
  return NestFactory.createApplicationContext(AppModule, { logger: false });
}
