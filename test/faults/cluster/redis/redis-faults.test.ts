import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Logger } from '@nestjs/common';
import { Cluster, Redis } from 'ioredis';
import { ResilienceService, type RateLimitOptions } from 'nestjs-bulwark';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../support/servers/free-port.js';
import { RedisCluster } from '../../../support/servers/redis-cluster.js';
import { redisMissing, RedisSentinel, RedisServer } from '../../../support/servers/redis-server.js';
import { until } from '../../../support/until.js';
import { calling, prefix, start } from './limited-app.js';

const SHARED = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const missing = redisMissing();

describe.skipIf(missing !== undefined)('cluster limits on Redis', () => {
  let server: RedisServer;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    server = await RedisServer.create();
  });

  afterAll(() => server.remove());

  it('are shared by all apps of a prefix, also on the Redis of others', async () => {
    const options = { url: SHARED, prefix: prefix() };
    const [one, other, stranger] = [
      await start(options),
      await start(options),
      await start({ ...options, prefix: prefix() }),
    ];

    const first = await one.begun(8);
    const second = await other.begun(8);

    expect(first.begun).toBe(8);
    expect(second.begun).toBe(2);
    expect((await stranger.begun(10)).begun).toBe(10);
    const client = new Redis(SHARED);
    expect(await client.zcard(`${options.prefix}:{processes}`)).toBe(2);
    await one.app.close();
    await other.app.close();
    expect(await client.keys(`${options.prefix}:{processes}`)).toEqual([]);
    client.disconnect();
  });

  it('take a client, which stays with its owner, and its key prefix', async () => {
    const client = new Redis(server.url, { keyPrefix: 'mine:', lazyConnect: true });
    onTestFinished(() => client.disconnect());
    const app = await start({ client, prefix: 'given' });

    expect((await app.begun(15, 'a')).begun).toBe(10);
    expect((await app.begun(15, 'b')).begun).toBe(10);
    expect(client.status).toBe('wait');
    const keys = (await server.run('KEYS', 'mine:*')) as string[];
    expect(keys.sort()).toEqual(['mine:given:{processes}', 'mine:given:{search[a]}', 'mine:given:{search[b]}']);
    await app.app.close();

    expect(await client.ping()).toBe('PONG');
  });

  it('change when a rule says so', async () => {
    const app = await start({ url: server.url, prefix: prefix() });
    expect((await app.begun(20)).begun).toBe(10);

    const rateLimit = { limit: 1_000, per: 1_000, burst: 200 };
    app.app.get(ResilienceService).rules.apply({ policies: { search: { rateLimit } } }, { by: 'ann' });
    await delay(300);
    const { begun } = await app.begun(400);

    expect(begun).toBeGreaterThanOrEqual(190);
    expect(begun).toBeLessThanOrEqual(399);
  });

  it('let a queue wait for its turn, over two apps', async () => {
    const options = { url: server.url, prefix: prefix() };
    const limit: RateLimitOptions = { limit: 50, per: 1_000, onLimit: 'queue', maxWait: 5_000 };
    const apps = [await start(options, limit), await start(options, limit)];
    const since = performance.now();

    const results = await Promise.all(apps.map((app) => app.begun(25)));

    expect(results.map(({ begun }) => begun)).toEqual([25, 25]);
    expect(performance.now() - since).toBeGreaterThan(850);
  });

  it('go on by themselves when Redis is killed, without waiting for it, and come back', async () => {
    const app = await start({ url: server.url, prefix: prefix() });
    expect((await app.begun(20)).begun).toBe(10);

    await server.stop('SIGKILL');
    await calling(app, 'it is seen that Redis is away', () => app.ups().includes(false));
    const away = await app.begun(20, 'away');
    await server.start();
    await until('Redis is back', () => app.ups().includes(true));

    expect(away.begun).toBe(10);
    expect(away.slowest).toBeLessThan(25);
    expect(app.ups()).toEqual([false, true]);
    expect((await app.begun(20, 'back')).begun).toBe(10);
  });

  it('wait 50 ms at most for a Redis that hangs', async () => {
    const app = await start({ url: server.url, prefix: prefix(), commandTimeout: 50 });
    await app.begun(1);
    await server.pause();

    const first = await app.begun(5);
    await calling(app, 'it is seen that Redis hangs', () => app.ups().includes(false));
    const later = await app.begun(5);
    await server.resume();
    await until('Redis is back', () => app.ups().includes(true));

    expect(first.slowest).toBeGreaterThan(45);
    // On a machine that does other things as well.
    expect(first.slowest).toBeLessThan(500);
    expect(later.slowest).toBeLessThan(25);
    expect(app.ups()).toEqual([false, true]);
  });

  it('hold on to no request while Redis hangs', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const app = await start({ url: server.url, prefix: prefix(), commandTimeout: 50 });
    await app.begun(1);
    await server.pause();
    const storage = new AsyncLocalStorage<object>();
    const requests: WeakRef<object>[] = [];

    for (let i = 0; i < 5; i++) {
      const request = { body: 'x'.repeat(1_000) };
      requests.push(new WeakRef(request));
      await storage.run(request, () => app.begun(1, `key-${i}`));
    }
    // What holds no longer is let go of in a turn of its own.
    await delay(50);
    collect();

    // The last one may still stand on the stack of this test.
    expect(requests.slice(0, 4).filter((request) => request.deref() !== undefined)).toEqual([]);
    await server.resume();
  });

  it('close while Redis hangs, and leave nothing behind', async () => {
    const app = await start({ url: server.url, prefix: prefix(), commandTimeout: 50 });
    await app.begun(1);
    await server.pause();
    const since = performance.now();

    await app.app.close();
    const tookMs = performance.now() - since;
    await server.resume();

    expect(tookMs).toBeLessThan(2_000);
  });

  it('go on by themselves when Redis is out of memory', async () => {
    const app = await start({ url: server.url, prefix: prefix(), expectedProcesses: 1 });
    await app.begun(1);
    await server.run('CONFIG', 'SET', 'maxmemory', '1');

    await calling(app, 'it is seen that Redis is full', () => app.ups().includes(false));
    const away = await app.begun(20, 'away');
    await server.run('CONFIG', 'SET', 'maxmemory', '0');
    await until('Redis is back', () => app.ups().includes(true));

    expect(away.begun).toBe(10);
    expect(app.events.find(({ type }) => type === 'store')).toMatchObject({ reason: expect.stringContaining('OOM') });
  });

  it('divide by the processes that were seen last', async () => {
    const options = { url: server.url, prefix: prefix() };
    const apps = [await start(options), await start(options)];
    await until('both are counted', async () => (await server.run('ZCARD', `${options.prefix}:{processes}`)) === 2);
    // Each hears of the other with its next word.
    await delay(2_500);
    await server.stop('SIGKILL');
    for (const app of apps) await calling(app, 'Redis is away', () => app.ups().includes(false));

    const results = await Promise.all(apps.map((app) => app.begun(20, 'away')));
    await server.start();

    expect(results.map(({ begun }) => begun)).toEqual([5, 5]);
  });

  it('reach Redis by its Sentinels', async () => {
    const port = await freePort();
    const sentinel = await RedisSentinel.create(port, server.port);
    const client = new Redis({ sentinels: [{ host: '127.0.0.1', port }], name: 'main', lazyConnect: true });
    client.on('error', () => undefined);
    onTestFinished(async () => {
      client.disconnect();
      await sentinel.remove();
    });
    const app = await start({ client, prefix: prefix() });

    expect((await app.begun(20)).begun).toBe(10);
    expect(app.ups()).toEqual([]);
  });
});

describe.skipIf(missing !== undefined)('cluster limits on a Redis Cluster of three', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await RedisCluster.create();
  });

  afterAll(() => cluster.remove());

  it('have one key each, in the slot of its name, and go on by themselves while a node is away', async () => {
    const client = new Cluster(
      cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
      { lazyConnect: true },
    );
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    const options = { client, prefix: prefix() };
    // Nothing comes back while it is counted.
    const limit = { per: 3_600_000 };
    const [app, other] = [await start(options, limit), await start(options, limit)];
    const keys = Array.from({ length: 12 }, (_, i) => `key-${i}`);

    const results = await Promise.all(
      keys.map(async (key) => (await app.begun(20, key)).begun + (await other.begun(20, key)).begun),
    );

    for (const begun of results) expect(begun).toBe(10);
    expect(app.ups()).toEqual([]);
    expect(await cluster.nodes[0]?.run('CLUSTER', 'KEYSLOT', 'any:{search[key-1]}')).toBe(
      await cluster.nodes[0]?.run('CLUSTER', 'KEYSLOT', 'search[key-1]'),
    );

    await cluster.nodes[0]?.pause();
    const slow = await Promise.all(keys.map((key) => app.begun(20, key)));
    await cluster.nodes[0]?.resume();

    for (const { slowest } of slow) expect(slowest).toBeLessThan(3_000);
    await app.app.close();
    await other.app.close();
  });
});
