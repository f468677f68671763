import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseDataService } from 'nestjs-bulwark/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mariaDbMissing, MariaDbServer } from '../../support/servers/mariadb-server.js';
import { postgresMissing, PostgresServer } from '../../support/servers/postgres-server.js';
import { until } from '../../support/until.js';
import { lostPuts, Writers } from './writers.js';

const QUERY_TIMEOUT = 1_000;
const kinds = [
  { name: 'MariaDB', missing: mariaDbMissing(), create: () => MariaDbServer.create() },
  { name: 'PostgreSQL', missing: await postgresMissing(), create: () => PostgresServer.create() },
];

describe.each(kinds)('$name under load', ({ name, missing, create }) => {
  let server: MariaDbServer | PostgresServer;
  let data: DatabaseDataService;

  beforeAll(async () => {
    if (missing !== undefined) return;
    server = await create();
    data = await DatabaseDataService.open({ url: server.url(), queryTimeout: QUERY_TIMEOUT });
  }, 60_000);
  afterAll(async () => {
    await data?.close();
    await server?.remove();
  });

  it.skipIf(missing).each(['SIGTERM', 'SIGKILL'] as const)(
    'has every acknowledged put after %s and a start, and takes puts again by itself',
    { timeout: 60_000 },
    async (signal) => {
      const writers = new Writers(data, 40);
      for (let i = 0; i < 2; i++) {
        await delay(500);
        await server.stop(signal);
        await delay(200);
        await server.start();
        const before = writers.count;
        await until('puts are acknowledged again', () => writers.count > before + 40);
      }
      const report = await writers.stop(`${name}, ${signal} twice`);

      expect(await lostPuts(data, report.acknowledged)).toEqual([]);
      expect(report.failures.length).toBeGreaterThan(0);
      expect([...new Set(report.failures.map((error) => (error as { code?: unknown }).code))]).toEqual([
        'DATA_UNAVAILABLE',
      ]);
      expect(report.longestPut).toBeLessThan(QUERY_TIMEOUT + 1_000);
    },
  );

  it.skipIf(missing)('hangs nobody while the server stands still', { timeout: 60_000 }, async () => {
    const writers = new Writers(data, 40);
    await delay(300);
    await server.pause();
    await delay(2 * QUERY_TIMEOUT);
    await server.resume();
    const before = writers.count;
    await until('puts are acknowledged again', () => writers.count > before + 40);
    const report = await writers.stop(`${name}, standing still for ${2 * QUERY_TIMEOUT} ms`);

    expect(await lostPuts(data, report.acknowledged)).toEqual([]);
    expect(report.longestPut).toBeLessThan(QUERY_TIMEOUT + 1_000);
  });
});
