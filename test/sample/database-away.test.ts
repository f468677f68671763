import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { mariaDbMissing, MariaDbServer } from '../support/servers/mariadb-server.js';
import { builtSample } from './support/built-sample.js';
import { Shop, type Answer } from './support/shop.js';

interface HealthView {
  readonly status: string;
  readonly details?: {
    readonly data?: { readonly nodes: readonly { readonly role: string; readonly state: string }[] };
  };
}

const missing = mariaDbMissing();
const HOW = [
  ['killed', (server: MariaDbServer) => server.stop('SIGKILL'), (server: MariaDbServer) => server.start()],
  ['silent', (server: MariaDbServer) => server.pause(), (server: MariaDbServer) => server.resume()],
] as const;

describe.skipIf(missing)('the shop while its MariaDB is away', () => {
  let server: MariaDbServer;

  beforeAll(async () => {
    await builtSample();
    server = await MariaDbServer.create();
  }, 300_000);
  afterAll(() => server?.remove());

  async function withShop(backend: string, work: (shop: Shop, id: string) => Promise<void>): Promise<void> {
    const shop = await Shop.start({
      DATA_BACKEND: backend,
      DATA_DIR: await temporaryFolder(),
      DATABASE_URL: server.url(),
    });
    try {
      const placed = await shop.order();
      expect(placed.status).toBe(201);
      await work(shop, placed.body.id);
    } finally {
      await shop.stop();
    }
  }

  it.each(HOW)(
    'answers 503 with a time to come back, on every route: %s',
    { timeout: 120_000 },
    async (_, go, back) => {
      await withShop('database', async (shop, id) => {
        await go(server);
        let answers: Answer[] = [];
        try {
          const paths = ['/health', '/catalogue', '/orders', `/orders/${id}`, '/catalogue/TEAPOT/quote?currency=EUR'];
          answers = await Promise.all([...paths.map((path) => shop.get(path)), shop.order()]);
        } finally {
          await back(server);
        }

        for (const { status, headers, text } of answers) {
          expect([status, headers.get('retry-after'), text]).toEqual([
            503,
            '1',
            expect.stringContaining('DATA_UNAVAIL'),
          ]);
          expect(text).not.toMatch(/127\.0\.0\.1|mysql/);
        }
        await expect.poll(async () => (await shop.get('/health')).status, { timeout: 20_000 }).toBe(200);
      });
    },
  );

  it.each(HOW)('says what it can still do, behind a failover: %s', { timeout: 120_000 }, async (_, go, back) => {
    await withShop('failover', async (shop, id) => {
      await go(server);
      try {
        // The first ones wait for the answer, and find out.
        await expect
          .poll(
            async () => (await shop.order()).status === 201 && (await shop.get<HealthView>('/health')).body.status,
            {
              timeout: 20_000,
            },
          )
          .toBe('degraded');
        const health = await shop.get<HealthView>('/health');
        expect(health.status).toBe(200);
        expect(health.body.details?.data?.nodes).toContainEqual(
          expect.objectContaining({ role: 'primary', state: 'down' }),
        );
        expect((await shop.get(`/orders/${id}`)).status).toBe(200);
        expect(health.text).not.toMatch(/127\.0\.0\.1|mysql/);
      } finally {
        await back(server);
      }
      const later = async () => (await shop.get<HealthView>('/health')).body.status;
      await expect.poll(later, { timeout: 30_000 }).toBe('ok');
    });
  });
});
