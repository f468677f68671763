import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseDataService, databaseData, FailoverDataService } from 'nestjs-bulwark/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../contract/temporary-folder.js';
import { seededRandom } from '../../support/seeded-random.js';
import { mariaDbMissing, MariaDbServer } from '../../support/servers/mariadb-server.js';
import { TcpProxy } from '../../support/servers/tcp-proxy.js';
import { describeRun, inflict, runWriters, type Fault } from './fault-run.js';

const WRITERS = 200;
const SECONDS = Number(process.env['BULWARK_FAULT_SECONDS'] ?? 20);
const SEED = Number(process.env['BULWARK_FAULT_SEED'] ?? Date.now() % 1_000_000);
const DRAIN_MS = 60_000;

const missing = mariaDbMissing();

describe.skipIf(missing !== undefined)("failoverData on MySQL with writes: 'queue'", () => {
  let server: MariaDbServer;
  let proxy: TcpProxy;

  beforeAll(async () => {
    server = await MariaDbServer.create();
    proxy = await TcpProxy.to(server.port);
  }, 60_000);

  afterAll(async () => {
    await proxy.close();
    await server.remove();
  });

  const faults: readonly Fault[] = [
    ...(['reset', 'blackHole', 'halfOpen'] as const).map((type) => ({
      name: type,
      begin: () => void (proxy.fault = { type }),
      end: () => void (proxy.fault = { type: 'pass' }),
    })),
    ...[20, 150, 700].map((ms) => ({
      name: `delay of ${ms} ms`,
      begin: () => void (proxy.fault = { type: 'delay', ms }),
      end: () => void (proxy.fault = { type: 'pass' }),
    })),
    { name: 'pause', begin: () => server.pause(), end: () => server.resume() },
    { name: 'stop', begin: () => server.stop(), end: () => server.start() },
    { name: 'kill -9', begin: () => server.stop('SIGKILL'), end: () => server.start() },
  ];

  it(
    `loses nothing that was acknowledged in ${SECONDS} s of random faults under ${WRITERS} writers`,
    { timeout: SECONDS * 1_000 + DRAIN_MS + 60_000 },
    async () => {
      const random = seededRandom(SEED);
      const data = await FailoverDataService.open({
        primary: databaseData({ url: server.url(proxy.port) }),
        writes: 'queue',
        queue: { path: await temporaryFolder() },
      });
      const counts: Record<string, number> = {};
      data.events$.subscribe(({ type }) => (counts[type] = (counts[type] ?? 0) + 1));
      let names: string[] = [];

      const inflicting = inflict(faults, SECONDS * 1_000, random).then((all) => (names = all));
      const report = await runWriters(data, WRITERS, random, inflicting);
      const left = data.status().queueLength;
      const drainSince = performance.now();
      while (data.status().queueLength > 0 && performance.now() - drainSince < DRAIN_MS) await delay(50);
      const drainMs = Math.round(performance.now() - drainSince);
      console.log(`seed ${SEED}, ${SECONDS} s, ${names.length} faults (${names.join(', ')}): ${describeRun(report)}`);
      console.log(`events ${JSON.stringify(counts)}; ${left} keys queued at the end, replayed in ${drainMs} ms`);
      await data.close();

      const stored = await DatabaseDataService.open({ url: server.url() });
      const lost: string[] = [];
      for (const [key, value] of report.last) {
        const found = await stored.get(key);
        if (found !== value) lost.push(`${key}: acknowledged ${value}, found ${String(found)}`);
      }
      await stored.close();
      expect(lost).toEqual([]);
      expect(report.rejected).toEqual([]);
      expect(counts['conflict'] ?? 0).toBe(0);
      expect(counts['queued']).toBeGreaterThan(0);
      expect(report.withinOneSecond).toBeGreaterThanOrEqual(0.95);
    },
  );
});
