import { fork } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { mysqlServer, postgresServer } from '../support/servers/shared-servers.js';
import { builtSample } from './support/built-sample.js';
import { Shop } from './support/shop.js';

interface QuoteView {
  readonly rate: number;
  readonly asOf: string;
  readonly stale: boolean;
}

const QUOTE = '/catalogue/TEAPOT/quote?currency=GBP';
const servers = await Promise.all([mysqlServer(), postgresServer()]);

/** The provider of exchange rates, as a process that nobody starts again. */
async function startUpstream() {
  const child = fork(join(dirname(await builtSample()), 'upstream/main.js'), { execArgv: [] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, url: `http://127.0.0.1:${port}` };
}

async function openShop(env: Record<string, string>): Promise<Shop> {
  const shop = await Shop.start(env);
  onTestFinished(async () => void (await shop.stop()));
  return shop;
}

/** Asks for a rate, kills all that knows it, and asks a new process, whose upstream is still dead. */
async function answerOutlivesAllProcesses(data: Record<string, string>): Promise<void> {
  const upstream = await startUpstream();
  const env = { ...data, DATA_DIR: await temporaryFolder(), UPSTREAM_URL: upstream.url };
  const shop = await openShop(env);
  const fresh = await shop.get<QuoteView>(QUOTE);
  // What is written in the background is on its way before this: that an order is placed says that it was written.
  expect((await shop.order()).status).toBe(201);
  for (const one of [shop.process, upstream.child]) {
    const gone = once(one, 'exit');
    one.kill('SIGKILL');
    expect(await gone).toEqual([null, 'SIGKILL']);
  }

  const reopened = await openShop(env);
  const old = await reopened.get<QuoteView>(QUOTE);
  const unknown = await reopened.get('/catalogue/TEAPOT/quote?currency=JPY');

  expect(fresh).toMatchObject({ status: 200, body: { stale: false } });
  expect(fresh.headers.get('age')).toBeNull();
  expect(old).toMatchObject({ status: 200, body: { ...fresh.body, stale: true } });
  const age = Number(old.headers.get('age'));
  expect(age).toBeGreaterThanOrEqual(1);
  expect(age).toBeLessThanOrEqual(Math.ceil((Date.now() - Date.parse(fresh.body.asOf)) / 1_000) + 1);
  expect(old.headers.get('cache-status')).toBe(`nestjs-bulwark; hit; ttl=-${age}; detail=stale`);
  expect(unknown.status).toBe(503);
}

beforeAll(async () => {
  await builtSample();
}, 300_000);

describe('the last good answer, when the shop and its upstream are killed and the shop alone comes back', () => {
  it.each(['file', 'database', 'failover'])('is there, in %s', { timeout: 60_000 }, async (backend) => {
    await answerOutlivesAllProcesses({ DATA_BACKEND: backend });
  });

  for (const server of servers) {
    describe.skipIf(server.missing)(server.name, () => {
      const database = `bulwark_answers_${process.pid}`;

      beforeAll(() => server.run(`CREATE DATABASE ${database}`));
      afterAll(() => server.run(`DROP DATABASE ${database}`));

      it('is there', { timeout: 60_000 }, async () => {
        const url = new URL(server.url);
        url.pathname = database;

        await answerOutlivesAllProcesses({ DATA_BACKEND: 'database', DATABASE_URL: url.href });
      });
    });
  }
});
