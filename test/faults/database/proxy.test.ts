import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseDataService } from 'nestjs-bulwark/data';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pick, seededRandom } from '../../support/seeded-random.js';
import { mysqlServer, postgresServer, randomTable } from '../../support/servers/shared-servers.js';
import { TcpProxy, type ProxyFault } from '../../support/servers/tcp-proxy.js';
import { lostPuts, Writers } from './writers.js';

const QUERY_TIMEOUT = 500;
const FAULTS: readonly ProxyFault[] = [
  { type: 'reset' },
  { type: 'blackHole' },
  { type: 'halfOpen' },
  { type: 'delay', ms: 100 },
  { type: 'bandwidth', bytesPerSecond: 20_000 },
];

async function took(work: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await Promise.allSettled([work]);
  return performance.now() - began;
}

describe.each(await Promise.all([mysqlServer(), postgresServer()]))('a fault on the way to $name', (server) => {
  const table = randomTable();
  let proxy: TcpProxy;
  let data: DatabaseDataService;

  const open = (queryTimeout = QUERY_TIMEOUT): Promise<DatabaseDataService> => {
    const url = new URL(server.url);
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    return DatabaseDataService.open({ url: url.href, table, poolSize: 5, connectTimeout: 300, queryTimeout });
  };

  beforeEach(async () => {
    if (server.missing !== undefined) return;
    const { port } = new URL(server.url);
    proxy = await TcpProxy.to(Number(port));
    data = await open();
  });
  afterEach(async () => {
    await data?.close();
    await proxy?.close();
  });
  afterAll(() => (server.missing === undefined ? server.run(`DROP TABLE IF EXISTS ${table}`) : undefined));

  it.skipIf(server.missing)('is only felt as time, where it is latency', async () => {
    proxy.fault = { type: 'delay', ms: 30 };
    const spent = await took(data.put('slow', 1));

    expect(await data.get('slow')).toBe(1);
    expect(spent).toBeGreaterThan(55);
  });

  it.skipIf(server.missing)(
    'refuses what meets a reset, as something that may pass, and goes on afterwards',
    async () => {
      await data.put('a', 1);
      proxy.fault = { type: 'reset' };

      await expect(data.put('a', 2)).rejects.toMatchObject({ code: 'DATA_UNAVAILABLE', status: 503 });
      await expect(data.get('a')).rejects.toMatchObject({ code: 'DATA_UNAVAILABLE' });
      await expect(open()).rejects.toMatchObject({ code: 'DATA_UNAVAILABLE' });
      proxy.fault = { type: 'pass' };
      expect(await data.get('a')).toBe(1);
      await data.put('a', 3);
    },
  );

  it.skipIf(server.missing).each(['blackHole', 'halfOpen'] as const)(
    'ends every operation within its time limit in a %s, and goes on at once afterwards',
    async (type) => {
      await Promise.all(Array.from({ length: 5 }, (_, i) => data.put(`k${i}`, i)));
      proxy.fault = { type };
      const work = [data.put('a', 2), data.put('a', 3), data.get('k1'), data.delete('a'), data.ping()];
      work.push(...Array.from({ length: 20 }, (_, i) => data.put(`k${i % 7}`, i)));
      const longest = Math.max(...(await Promise.all(work.map(took))));
      const outcomes = await Promise.allSettled(work);
      expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual(
        work.map(() => 'DATA_UNAVAILABLE'),
      );
      expect(longest).toBeLessThan(QUERY_TIMEOUT + 300);
      expect(await took(open())).toBeLessThan(QUERY_TIMEOUT + 300);
      proxy.fault = { type: 'pass' };

      expect(await took(data.put('a', 4))).toBeLessThan(QUERY_TIMEOUT);
      expect(await data.get('a')).toBe(4);
    },
  );

  it.skipIf(server.missing)(
    'ends an operation in a black hole at once when its signal says so, and close soon',
    async () => {
      await data.put('a', 1);
      proxy.fault = { type: 'blackHole' };
      const controller = new AbortController();
      const put = data.put('a', 2, { signal: controller.signal });
      await delay(20);
      controller.abort('gone');

      await expect(put).rejects.toBe('gone');
      expect(await took(data.close())).toBeLessThan(2_500);
    },
  );

  it.skipIf(server.missing)('cuts a value that a narrow way does not let through in time', async () => {
    const value = 'x'.repeat(500_000);
    proxy.fault = { type: 'bandwidth', bytesPerSecond: 100_000 };
    await expect(data.put('large', value)).rejects.toMatchObject({ code: 'DATA_UNAVAILABLE' });
    proxy.fault = { type: 'bandwidth', bytesPerSecond: 5_000_000 };
    await data.put('large', value);

    expect((await data.get('large')) === value).toBe(true);
  });

  it.skipIf(server.missing)('loses no acknowledged put among faults of all kinds', { timeout: 40_000 }, async () => {
    const random = seededRandom(5);
    const writers = new Writers(data, 40);
    for (let i = 0; i < 12; i++) {
      await delay(300);
      proxy.fault = FAULTS[pick(random, FAULTS.length)] as ProxyFault;
      await delay(300);
      proxy.fault = { type: 'pass' };
    }
    await delay(300);
    const report = await writers.stop(`faults on the way to ${server.name}`);

    expect(await lostPuts(data, report.acknowledged)).toEqual([]);
    expect(report.failures.every((error) => (error as { code?: unknown }).code === 'DATA_UNAVAILABLE')).toBe(true);
    expect(report.acknowledged.size).toBe(40);
    expect(report.failures.length).toBeGreaterThan(0);
    expect(report.longestPut).toBeLessThan(QUERY_TIMEOUT + 1_000);
  });
});
