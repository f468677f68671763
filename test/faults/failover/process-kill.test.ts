import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { databaseData, DatabaseDataService, FailoverDataService } from 'nestjs-bulwark/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../contract/temporary-folder.js';
import { compileLib } from '../../support/compiled-lib.js';
import { pick, seededRandom } from '../../support/seeded-random.js';
import { mariaDbMissing, MariaDbServer } from '../../support/servers/mariadb-server.js';
import { TcpProxy } from '../../support/servers/tcp-proxy.js';
import { until } from '../../support/until.js';

const ROUNDS = 6;
const SEED = Number(process.env['BULWARK_FAULT_SEED'] ?? Date.now() % 1_000_000);

/** Writes for ever, to 20 keys at a time, and reports each write once it is acknowledged. */
const WRITER = `
import { databaseData, FailoverDataService } from './data/index.js';
const [url, path, start] = process.argv.slice(2);
const data = await FailoverDataService.open({ primary: databaseData({ url }), writes: 'queue', queue: { path } });
let next = Number(start);
const write = async (key) => {
  for (;;) {
    const n = next++;
    await data.put(key, n);
    process.stdout.write('acknowledged ' + key + ' ' + n + '\\n');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};
await Promise.all(Array.from({ length: 20 }, (_, i) => write('key-' + i)));
`;

const missing = mariaDbMissing();

describe.skipIf(missing !== undefined)("failoverData with writes: 'queue', after kill -9 of its process", () => {
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

  it('replays all that was acknowledged', { timeout: 120_000 }, async () => {
    const random = seededRandom(SEED);
    const [program, queue] = [await temporaryFolder(), await temporaryFolder()];
    await compileLib(program);
    await writeFile(join(program, 'writer.js'), WRITER);
    const acknowledged = new Map<string, number>();
    let [count, next, longestGapMs] = [0, 0, 0];

    for (let round = 0; round < ROUNDS; round++) {
      // The last round ends with the primary away, so that the queue is not empty.
      proxy.fault = { type: 'pass' };
      const args = [join(program, 'writer.js'), server.url(proxy.port), queue, String(next)];
      const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const exited = once(writer, 'exit');
      const failAt = count + 100 + pick(random, 300);
      const killAt = failAt + 200 + pick(random, 500);
      let lastAt: number | undefined;
      for await (const line of createInterface(writer.stdout)) {
        // The logger writes there too.
        const [, key, n] = /^acknowledged (\S+) (\d+)$/.exec(line) ?? [];
        if (key === undefined) continue;
        acknowledged.set(key, Math.max(Number(n), acknowledged.get(key) ?? 0));
        next = Math.max(next, Number(n) + 1_000);
        count++;
        longestGapMs = Math.max(longestGapMs, performance.now() - (lastAt ?? performance.now()));
        lastAt = performance.now();
        if (count === failAt) proxy.fault = { type: round % 2 === 0 ? 'blackHole' : 'reset' };
        if (count === killAt) writer.kill('SIGKILL');
      }
      expect(await exited).toEqual([null, 'SIGKILL']);
    }

    proxy.fault = { type: 'pass' };
    const primary = databaseData({ url: server.url(proxy.port) });
    const data = await FailoverDataService.open({ primary, writes: 'queue', queue: { path: queue } });
    const left = data.status().queueLength;
    await until('the queue is empty', () => data.status().queueLength === 0);
    await data.close();
    const stored = await DatabaseDataService.open({ url: server.url() });
    const lost: string[] = [];
    for (const [key, n] of acknowledged) {
      const found = (await stored.get<number>(key)) ?? -1;
      // What was sent after the last acknowledgement may be there too.
      if (found < n) lost.push(`${key}: acknowledged ${n}, found ${found}`);
    }
    await stored.close();
    console.log(
      `seed ${SEED}, ${ROUNDS} kills: ${count} writes acknowledged, longest gap ${Math.round(longestGapMs)} ms, ` +
        `${left} keys queued at the last start`,
    );

    expect(lost).toEqual([]);
    expect(left).toBeGreaterThan(0);
    expect(acknowledged.size).toBe(20);
  });
});
