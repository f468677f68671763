import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../support/servers/free-port.js';
import { RedisCluster } from '../../../support/servers/redis-cluster.js';
import { redisMissing, RedisSentinel, RedisServer } from '../../../support/servers/redis-server.js';
import { until } from '../../../support/until.js';
import { prefix, start, type LimitedApp } from './limited-app.js';

const missing = redisMissing();
/** How long a call may take that waits for nobody, on a machine that does other things as well, ms. */
const AT_ONCE_MS = 1_000;
/** How often it is looked whether they count together. */
const MOST_TRIES = 100;

/** Two apps that share limits of 10 at once, each of which knows of the other. */
async function startTwo(client: Redis | Cluster): Promise<[LimitedApp, LimitedApp]> {
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  const options = { client, prefix: prefix() };
  // Nothing comes back while it is counted.
  const limit = { per: 3_600_000 };
  const apps = [await start(options, limit), await start(options, limit)] as [LimitedApp, LimitedApp];
  // Each hears of the other with its next word; while the store is away each has half.
  for (const app of apps) await until('it knows of the other', () => app.processes() === 2);
  return apps;
}

/**
 * What became of a limit that nobody has used: by the cluster one app can have 8 of the 10, and the other one what is left;
 * by itself it has 5.
 */
async function share([one, other]: readonly [LimitedApp, LimitedApp], key: string) {
  const first = await one.begun(8, key);
  const second = await other.begun(8, key);
  return { begun: [first.begun, second.begun], slowest: Math.max(first.slowest, second.slowest) };
}

const BY_THE_CLUSTER = [8, 2];
const BY_ITSELF = [5, 5];

/** Waits until a limit that nobody has used is counted together. @param key another one each time. */
async function together(apps: readonly [LimitedApp, LimitedApp], key: (tries: number) => string) {
  for (let tries = 1; ; tries++) {
    const shared = await share(apps, key(tries));
    if (String(shared.begun) === String(BY_THE_CLUSTER)) return shared;
    if (tries === MOST_TRIES) throw new Error(`expected that they count together, got ${shared.begun.join(', ')}`);
    await delay(200);
  }
}

describe.skipIf(missing !== undefined)('cluster limits, when the master is killed', () => {
  it('go on by themselves at once, and together when Sentinel has put a replica in its place', async () => {
    const master = await RedisServer.create();
    const replica = await RedisServer.create(['--replicaof', '127.0.0.1', String(master.port)]);
    const sentinel = await RedisSentinel.create(await freePort(), master.port);
    onTestFinished(() => Promise.all([master, replica, sentinel].map((one) => one.remove())).then(() => undefined));
    await until('Sentinel knows the replica', async () => ((await sentinel.ask('REPLICAS')) as unknown[]).length === 1);
    const sentinels = [{ host: '127.0.0.1', port: sentinel.port }];
    const apps = await startTwo(new Redis({ sentinels, name: 'main', lazyConnect: true }));
    const before = await share(apps, 'before');

    await master.stop('SIGKILL');
    const away = await share(apps, 'away');
    const after = await together(apps, (tries) => `after-${tries}`);

    expect(before.begun).toEqual(BY_THE_CLUSTER);
    expect(away.begun).toEqual(BY_ITSELF);
    expect(away.slowest).toBeLessThan(AT_ONCE_MS);
    expect(after.begun).toEqual(BY_THE_CLUSTER);
    expect(String(await sentinel.ask('GET-MASTER-ADDR-BY-NAME'))).toBe(`127.0.0.1,${replica.port}`);
  });

  describe('of some of the slots of a Redis Cluster', () => {
    let cluster: RedisCluster;

    beforeAll(async () => {
      cluster = await RedisCluster.create(1);
    });
    afterAll(() => cluster?.remove());

    it('go on by themselves at once, and together when its replica is promoted', async () => {
      const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
      const apps = await startTwo(new Cluster(nodes, { lazyConnect: true }));
      const [asked] = cluster.nodes as [RedisServer];
      const slotOf = (key: string) => asked.run('CLUSTER', 'KEYSLOT', `search[${key}]`) as Promise<number>;
      const master = await cluster.masterOf(await slotOf('0'));
      const isThere = async (key: string) => (await cluster.masterOf(await slotOf(key))) === master;
      const there: string[] = [];
      const elsewhere: string[] = [];
      for (let i = 0; there.length <= MOST_TRIES + 3; i++)
        ((await isThere(String(i))) ? there : elsewhere).push(String(i));
      const next = (keys: string[]): string => keys.pop() as string;
      const slot = await slotOf(next(there));
      const before = await share(apps, next(there));

      await master.stop('SIGKILL');
      const away = await share(apps, next(there));
      const others = await share(apps, next(elsewhere));
      await until('the replica is promoted', async () => (await cluster.masterOf(slot)) !== master);
      const after = await together(apps, () => next(there));

      expect(before.begun).toEqual(BY_THE_CLUSTER);
      expect(away.begun).toEqual(BY_ITSELF);
      expect(away.slowest).toBeLessThan(AT_ONCE_MS);
      expect(others.slowest).toBeLessThan(AT_ONCE_MS);
      expect(after.begun).toEqual(BY_THE_CLUSTER);
    });
  });
});
