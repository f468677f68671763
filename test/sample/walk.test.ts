import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { builtSample } from './support/built-sample.js';
import { Shop, type Answer, type OrderView, type UpstreamView } from './support/shop.js';

/** The limit of an order, and what the contract allows on top. */
const ORDER_MS = 1_500 + 100;
/** The reset time, the age at which a payment is asked for again, and the interval of that, on a slow machine. */
const RECOVERY = { timeout: 30_000, interval: 100 };
const SOON = { timeout: 5_000, interval: 50 };

async function openShop(env: Record<string, string>): Promise<Shop> {
  const shop = await Shop.start(env);
  onTestFinished(async () => void (await shop.stop()));
  return shop;
}

/** Orders until one is paid at once: the first call of a cold process on a busy machine may miss its limit. */
async function paidOrder(shop: Shop): Promise<OrderView> {
  let body: OrderView | undefined;
  await expect.poll(async () => ({ body } = await shop.order()).body.payment.status, SOON).toBe('paid');
  return body as OrderView;
}

/** Orders until the breaker of payments is open. */
async function orderUntilOpen(shop: Shop): Promise<Answer<OrderView>[]> {
  const answers: Answer<OrderView>[] = [];
  while ((await shop.breaker('payments')) !== 'open') answers.push(await shop.order());
  return answers;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

beforeAll(async () => {
  await builtSample();
}, 300_000);

describe.each(['file', 'database'])('the walk of docs/sample-shop.md, with DATA_BACKEND=%s', (backend) => {
  it('goes from a healthy upstream through a hanging and a killed one and back', { timeout: 90_000 }, async () => {
    const env = { DATA_BACKEND: backend, DATA_DIR: await temporaryFolder() };
    const shop = await openShop(env);

    const paid = await paidOrder(shop);
    expect(paid.totalCents).toBe(3_900);
    expect(await shop.get('/catalogue/TEAPOT/quote?currency=GBP')).toMatchObject({
      status: 200,
      body: { stale: false },
    });

    await shop.upstream('hanging');
    const deferred = await orderUntilOpen(shop);
    for (const answer of deferred) {
      expect(answer).toMatchObject({ status: 201, body: { payment: { status: 'pending' } } });
      expect(answer.took).toBeLessThan(ORDER_MS);
    }
    const refused = await shop.post(`/orders/${deferred[0]?.body.id}/payment`);
    expect(refused.body).toEqual({ statusCode: 503, message: 'Service Unavailable', errorCode: 'CIRCUIT_OPEN' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const quote = await shop.get('/catalogue/TEAPOT/quote?currency=GBP');
    expect(quote).toMatchObject({ status: 200, body: { stale: true } });
    expect(quote.headers.get('cache-status')).toMatch(/^nestjs-bulwark; hit; ttl=-[1-9]\d*; detail=stale$/);

    process.kill((await shop.get<UpstreamView>('/upstream')).body.pid, 'SIGKILL');
    await expect.poll(async () => (await shop.get('/upstream')).body, SOON).toEqual({ mode: 'gone', pid: null });
    const unheard = await shop.order();
    expect(unheard).toMatchObject({ status: 201, body: { payment: { status: 'pending' } } });

    expect(await shop.upstream('healthy')).toMatchObject({ status: 200, body: { mode: 'healthy' } });
    await expect.poll(() => shop.breaker('payments'), RECOVERY).toBe('closed');
    for (const { body } of [...deferred, unheard]) {
      const payment = async () => (await shop.get<OrderView>(`/orders/${body.id}`)).body.payment.status;
      await expect.poll(payment, RECOVERY).toBe('paid');
    }

    expect(await shop.stop()).toBe('SIGINT');
    const reopened = await openShop(env);
    expect((await reopened.get(`/orders/${paid.id}`)).body).toEqual(paid);
    expect((await reopened.get('/catalogue')).body).toHaveLength(4);
    expect(shop.log + reopened.log).not.toMatch(/ERROR|unhandled/i);
  });
});

describe('the shop', () => {
  it('tells no client what the upstream said', { timeout: 60_000 }, async () => {
    const shop = await openShop({ DATA_DIR: await temporaryFolder() });
    const tooDear = { items: [{ sku: 'SAMOVAR', quantity: 9 }] };
    const answers: Answer[] = [await shop.post('/orders', tooDear)];
    // So many successes that the breaker lets the first retries run out.
    for (let order = 1; order <= 6; order++) await shop.order();

    await shop.upstream('failing');
    answers.push(await shop.get('/catalogue/CUP/quote?currency=JPY'));
    const order = await shop.order();
    answers.push(order);
    for (let attempt = 1; attempt <= 4; attempt++) answers.push(await shop.post(`/orders/${order.body.id}/payment`));
    for (const path of ['/breakers', '/plan', '/orders']) answers.push(await shop.get(path));

    expect(answers.map(({ status }) => status)).toEqual([402, 503, 201, 502, 503, 503, 503, 200, 200, 200]);
    for (const { text } of answers) expect(text).not.toMatch(/password|ledger/);
  });

  it('turns bad input away with a 4xx', { timeout: 60_000 }, async () => {
    const shop = await openShop({ DATA_DIR: await temporaryFolder() });
    const orders = [{}, { items: [] }, { items: [{ sku: 'CUP', quantity: 0 }] }, { items: 'CUP' }, { more: 1 }];

    const statuses = async (answers: Promise<Answer>[]) => (await Promise.all(answers)).map(({ status }) => status);

    expect(await statuses(orders.map((order) => shop.post('/orders', order)))).toEqual([400, 400, 400, 400, 400]);
    expect(await statuses([shop.post('/orders', { items: [{ sku: 'NOPE', quantity: 1 }] })])).toEqual([422]);
    expect(await statuses(['/orders/%00', '/catalogue/%00', '/orders?limit=0'].map((path) => shop.get(path)))).toEqual([
      400, 400, 400,
    ]);
    expect(
      await statuses(['/orders/5f0e5d2e-1c33-4a52-9b1e-0f6f5b1c7a11', '/catalogue/NOPE'].map((path) => shop.get(path))),
    ).toEqual([404, 404]);
    expect(await statuses([shop.upstream('worse')])).toEqual([400]);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)(
    'takes its upstream along when it ends by %s',
    { timeout: 60_000 },
    async (signal) => {
      const shop = await openShop({ DATA_DIR: await temporaryFolder() });
      const { pid } = (await shop.get<UpstreamView>('/upstream')).body;

      shop.process.kill(signal);

      await expect.poll(() => isAlive(pid), SOON).toBe(false);
    },
  );

  it('says what is wrong with its environment', { timeout: 60_000 }, async () => {
    const starting = Shop.start({ DATA_BACKEND: 'paper', DATA_DIR: await temporaryFolder() });

    await expect(starting).rejects.toThrow("DATA_BACKEND is 'paper'; expected one of: file, database, failover");
  });
});
