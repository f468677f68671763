import { join } from 'node:path';
import { DatabaseDataService } from 'nestjs-bulwark/data';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { dataCli } from '../cli/support/run-cli.js';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { mysqlServer, postgresServer, type SharedServer } from '../support/servers/shared-servers.js';
import { TcpProxy } from '../support/servers/tcp-proxy.js';
import { builtSample } from './support/built-sample.js';
import { Shop, type OrderView } from './support/shop.js';

const servers = await Promise.all([mysqlServer(), postgresServer()]);

async function openShop(env: Record<string, string>): Promise<Shop> {
  const shop = await Shop.start(env);
  onTestFinished(async () => void (await shop.stop()));
  return shop;
}

/** Places an order, closes the shop, opens it anew and looks the order up. */
async function orderOutlivesTheShop(env: Record<string, string>): Promise<void> {
  const shop = await openShop(env);
  const placed = await shop.order();
  const ending = await shop.stop();

  const reopened = await openShop(env);
  const found = await reopened.get<OrderView>(`/orders/${placed.body.id}`);

  expect(placed.status).toBe(201);
  expect(ending).toBe('SIGINT');
  expect(found).toMatchObject({ status: 200, body: { id: placed.body.id, totalCents: 3_900 } });
  expect((await reopened.get('/health')).status).toBe(200);
  await reopened.stop();
  expect(shop.log + reopened.log).not.toMatch(/ERROR|unhandled/i);
}

beforeAll(async () => {
  await builtSample();
}, 300_000);

describe('the shop, chosen by DATA_BACKEND and DATABASE_URL alone', () => {
  it.each(['file', 'database', 'failover'])('keeps an order in %s', { timeout: 60_000 }, async (backend) => {
    await orderOutlivesTheShop({ DATA_BACKEND: backend, DATA_DIR: await temporaryFolder() });
  });

  for (const server of servers) {
    describe.skipIf(server.missing)(server.name, () => {
      const database = `bulwark_shop_${process.pid}`;

      beforeAll(() => server.run(`CREATE DATABASE ${database}`));
      afterAll(() => server.run(`DROP DATABASE ${database}`));

      it.each(['database', 'failover'])('keeps an order in it, as %s', { timeout: 60_000 }, async (backend) => {
        const env = { DATA_BACKEND: backend, DATA_DIR: await temporaryFolder(), DATABASE_URL: urlOf(server, database) };

        await orderOutlivesTheShop(env);
      });

      it('takes orders while it is away, restarts meanwhile, and brings them there', { timeout: 60_000 }, async () => {
        const url = urlOf(server, database);
        const proxy = await TcpProxy.to(Number(new URL(url).port));
        onTestFinished(() => proxy.close());
        const through = Object.assign(new URL(url), { host: `127.0.0.1:${proxy.port}` }).href;
        const env = { DATA_BACKEND: 'failover', DATA_DIR: await temporaryFolder(), DATABASE_URL: through };
        const shop = await openShop(env);
        const before = await shop.order();
        await shop.get('/catalogue');

        proxy.fault = { type: 'reset' };
        const during = await shop.order();
        await shop.stop();
        const reopened = await openShop(env);
        const found = await reopened.get(`/orders/${during.body.id}`);
        const copied = await reopened.get(`/orders/${before.body.id}`);
        proxy.fault = { type: 'pass' };

        expect([before, during, found, copied].map(({ status }) => status)).toEqual([201, 201, 200, 200]);
        const stored = async () => {
          const data = await DatabaseDataService.open({ url });
          return data.get(`orders/${during.body.id}`).finally(() => data.close());
        };
        await expect.poll(stored, { timeout: 20_000, interval: 200 }).toMatchObject({ id: during.body.id });
      });
    });
  }

  it('finds its orders on another backend, when they were copied there', { timeout: 60_000 }, async () => {
    const folder = await temporaryFolder();
    const [first, second] = ['first', 'second'].map((name) => `sqlite:${join(folder, name)}.db`) as [string, string];
    const env = { DATA_BACKEND: 'database', DATA_DIR: folder };
    const shop = await openShop({ ...env, DATABASE_URL: first });
    const { body } = await shop.order();
    await shop.stop();

    const copied = await dataCli(['copy', '--from', first, '--to', second]);
    const moved = await openShop({ ...env, DATA_BACKEND: 'failover', DATABASE_URL: second });

    expect(copied.code).toBe(0);
    expect(await moved.get(`/orders/${body.id}`)).toMatchObject({ status: 200, body: { id: body.id } });
  });
});

function urlOf({ url }: SharedServer, database: string): string {
  return Object.assign(new URL(url), { pathname: `/${database}` }).href;
}
