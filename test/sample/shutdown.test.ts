import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { until } from '../support/until.js';
import { builtSample } from './support/built-sample.js';
import { Shop } from './support/shop.js';

const GRACE_MS = 2_000;
/** What a slow machine may add. */
const MARGIN_MS = 15_000;

async function openShop(): Promise<Shop> {
  const shop = await Shop.start({ DATA_DIR: await temporaryFolder(), SHUTDOWN_GRACE_MS: String(GRACE_MS) });
  onTestFinished(async () => void (await shop.stop()));
  return shop;
}

interface Seen {
  readonly status: number | undefined;
  readonly connection: string | undefined;
}

function ask(url: string, agent: Agent): Promise<Seen> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (response) => {
      const { statusCode: status, headers } = response;
      response.resume().once('end', () => resolve({ status, connection: headers.connection }));
    })
      .on('error', reject)
      .end();
  });
}

beforeAll(async () => {
  await builtSample();
}, 300_000);

describe('the sample shop, told to end', () => {
  it(
    'ends while clients keep their connections busy, and one never finishes its request',
    { timeout: 90_000 },
    async () => {
      const shop = await openShop();
      const { port, hostname } = new URL(shop.url);
      const agent = new Agent({ keepAlive: true, maxSockets: 8 });
      onTestFinished(() => agent.destroy());
      const unfinished = connect(Number(port), hostname);
      unfinished.on('error', () => undefined).write('GET /catalogue HTTP/1.1\r\nHost: x\r\n');
      let ended = false;
      let answered = 0;
      const told: (string | undefined)[] = [];
      const clients = Array.from({ length: 8 }, async () => {
        while (!ended) {
          const seen = await ask(`${shop.url}/catalogue`, agent).catch(() => undefined);
          answered++;
          if (seen === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
          else told.push(seen.connection);
        }
      });
      await until('the clients are busy', () => answered > 50);

      const exit = once(shop.process, 'exit');
      const before = performance.now();
      shop.process.kill('SIGTERM');
      await exit;
      ended = true;
      await Promise.all(clients);
      unfinished.destroy();

      expect(performance.now() - before).toBeLessThan(GRACE_MS + MARGIN_MS);
      expect(told[0]).toBe('keep-alive');
    },
  );

  it('answers what is under way', { timeout: 90_000 }, async () => {
    const shop = await openShop();
    await shop.upstream('hanging');
    const order = shop.order();
    await new Promise((resolve) => setTimeout(resolve, 200));

    shop.process.kill('SIGTERM');

    expect((await order).status).toBe(201);
  });
});

describe('the sample shop, given deep input', () => {
  it('answers 400 on every route that takes a body', { timeout: 90_000 }, async () => {
    const shop = await openShop();
    const deep = [
      '['.repeat(20_000) + ']'.repeat(20_000),
      `{"items":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
      '{"items":[{"sku":'.repeat(1_200) + '1' + '}]}'.repeat(1_200),
      '{"mode":'.repeat(4_000) + '1' + '}'.repeat(4_000),
    ];
    for (const path of ['/orders', '/upstream']) {
      for (const body of deep) {
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(shop.url + path, { method: 'POST', headers, body });
        expect([path, answer.status]).toEqual([path, 400]);
      }
    }
    expect(shop.log).not.toContain('RangeError');
    expect((await shop.get('/orders?limit[a][b]=1')).status).toBe(400);
  });
});
