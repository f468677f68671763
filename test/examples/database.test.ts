import type { DataService } from 'nestjs-bulwark';
import { DatabaseDataService } from 'nestjs-bulwark/data';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { postgresServer } from '../support/servers/shared-servers.js';
import { TcpProxy } from '../support/servers/tcp-proxy.js';
import { Example, TIMEOUT } from './support/example.js';

const postgres = await postgresServer();
const id = `example-${process.pid}`;

/** The database itself, past the example. */
async function database(): Promise<DataService> {
  return DatabaseDataService.open({ url: postgres.url });
}

afterAll(async () => {
  if (postgres.missing !== undefined) return;
  const data = await database();
  await data.delete(`orders/${id}`);
  await data.close();
});

it('keeps orders in SQLite', { timeout: TIMEOUT }, async () => {
  const folder = await temporaryFolder();
  const app = await Example.start('database/main', { DATA_DIR: folder });
  expect((await app.send('PUT', '/orders/1', { item: 'tea' })).status).toBe(200);
  expect(await app.stop()).toBe('SIGTERM');

  const next = await Example.start('database/main', { DATA_DIR: folder });

  expect(await next.ask('/orders/1')).toMatchObject({ status: 200, body: { item: 'tea' } });
  expect((await next.ask('/orders/2')).status).toBe(404);
});

it.skipIf(postgres.missing !== undefined)(
  'takes orders while PostgreSQL is away, and brings them there afterwards',
  { timeout: TIMEOUT },
  async () => {
    const url = new URL(postgres.url);
    const proxy = await TcpProxy.to(Number(url.port || 5432));
    onTestFinished(() => proxy.close());
    url.port = String(proxy.port);
    const app = await Example.start('database/main', { DATA_DIR: await temporaryFolder(), DATABASE_URL: url.href });
    expect((await app.send('PUT', `/orders/${id}`, { item: 'tea' })).status).toBe(200);

    proxy.fault = { type: 'reset' };

    await expect.poll(() => app.ask(`/orders/${id}`)).toMatchObject({ status: 200, body: { item: 'tea' } });
    expect((await app.send('PUT', `/orders/${id}`, { item: 'coffee' })).status).toBe(200);
    expect(await app.ask(`/orders/${id}`)).toMatchObject({ status: 200, body: { item: 'coffee' } });
    expect((await app.ask('/status')).body).toMatchObject({ queueLength: 1 });

    proxy.fault = { type: 'pass' };

    await expect.poll(async () => (await app.ask('/status')).body).toMatchObject({ queueLength: 0 });
    const data = await database();
    onTestFinished(() => data.close());
    expect(await data.get(`orders/${id}`)).toEqual({ item: 'coffee' });
  },
);
