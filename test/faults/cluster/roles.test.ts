import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { EtcdService, ResilienceEtcdModule } from 'nestjs-bulwark/etcd';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD_VARIABLE } from '../../../lib/cluster/etcd/cli/connection.js';
import { runCluster } from '../../../lib/cluster/etcd/cli/run.js';
import { etcdMissing, EtcdServer } from '../../support/servers/etcd-cluster.js';
import { errorOf } from '../../support/settle.js';

const missing = etcdMissing();
const PREFIX = 'shop/';
const encoded = (text: string): string => Buffer.from(text).toString('base64');

/** As docs/cluster-breakers.md says: an app reads what operators write, and writes what it tells others. */
async function allow(server: EtcdServer): Promise<void> {
  const grant = async (role: string, permType: string, part: string): Promise<unknown> => {
    const key = `${PREFIX}${part}`;
    const end = `${key.slice(0, -1)}${String.fromCharCode(key.charCodeAt(key.length - 1) + 1)}`;
    return server.call('auth/role/grant', {
      name: role,
      perm: { permType, key: encoded(key), range_end: encoded(end) },
    });
  };
  for (const name of ['root', 'app', 'operator']) {
    await server.call('auth/role/add', { name });
    await server.call('auth/user/add', { name, password: `${name}-secret` });
    await server.call('auth/user/grant', { user: name, role: name });
  }
  for (const part of ['commands/', 'resets/']) {
    await grant('app', 'READ', part);
    await grant('operator', 'READWRITE', part);
  }
  await grant('app', 'READWRITE', 'trips/');
  await server.call('auth/enable');
}

describe.skipIf(missing)('the roles of etcd', () => {
  let server: EtcdServer;
  let app: INestApplicationContext | undefined;

  beforeAll(async () => {
    server = await EtcdServer.create();
    await allow(server);
  });
  afterEach(() => app?.close());
  afterAll(() => server?.remove());

  async function cli(...args: string[]) {
    let out = '';
    const to = ['--hosts', server.host(), '--prefix', PREFIX, '--user', 'operator', '--author', 'ann', '--reason', 'r'];
    const write = (text: string): unknown => (out += text);
    const code = await runCluster([...args, ...to], {
      terminal: { out: { write }, err: { write } },
      env: { [PASSWORD_VARIABLE]: 'operator-secret' },
      readFile: () => Buffer.alloc(0),
    });
    return { code, out };
  }

  it('let apps obey commands that operators write, and write none, also after etcd was restarted', async () => {
    app = await startApp(server.host());
    const { state } = { state: () => app?.get(ResilienceService).circuitBreaker('payments').state };

    expect((await cli('open', 'payments')).code).toBe(0);
    await expect.poll(state).toBe('forcedOpen');
    const refused = await errorOf(
      app.get(EtcdService).command('payments', { state: 'normal', reason: 'mine', author: 'app' }),
    );
    await server.stop('SIGKILL');
    await server.start();
    await expect.poll(async () => (await cli('disable', 'payments')).code).toBe(0);

    expect(refused.message).toMatch('permission denied');
    await expect.poll(state).toBe('disabled');
  });
});

async function startApp(hosts: string): Promise<INestApplicationContext> {
  class AppModule {}
  const auth = { username: 'app', password: 'app-secret' };
  Module({
    imports: [
      ResilienceModule.forRoot({ policies: { payments: { circuitBreaker: {} } } }),
      ResilienceEtcdModule.forRoot({ hosts, auth, prefix: PREFIX, commands: true, breakers: 'follow' }),
    ],
  })(AppModule);
  return NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
}
