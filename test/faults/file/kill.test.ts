import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FileDataService } from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../contract/temporary-folder.js';
import { compileLib } from '../../support/compiled-lib.js';
import { pick, seededRandom } from '../../support/seeded-random.js';

const KILLS = Number(process.env['BULWARK_KILLS'] ?? 50);
const SEED = Number(process.env['BULWARK_FAULT_SEED'] ?? Date.now() % 1_000_000);
const WRITERS = 8;
const MOST_WRITES = 400;

/**
 * Writes for ever, each writer to keys of its own, and reports each write before it is made and once it is acknowledged.
 * Values are large, so that snapshots are made all the time.
 */
const WRITER = `
import { writeSync } from 'node:fs';
import { FileDataService } from './data/index.js';
const [folder, start, syncOn] = process.argv.slice(2);
const data = await FileDataService.open({ path: folder, syncOn });
let next = Number(start);
const write = async (writer) => {
  for (;;) {
    const n = next++;
    const key = writer + '-' + (n % 5);
    writeSync(1, 'begun ' + key + ' ' + n + '\\n');
    if (n % 11 === 0) await data.delete(key);
    else await data.put(key, { n, filler: 'x'.repeat((n * 7919) % 20_000) });
    writeSync(1, 'acknowledged ' + key + ' ' + n + '\\n');
  }
};
await Promise.all(Array.from({ length: ${WRITERS} }, (_, writer) => write(writer)));
`;

/** What became of the last writes of a key. */
interface Fate {
  acknowledged: number;
  /** Begun after that. */
  begun: number[];
}

const isDelete = (n: number): boolean => n === 0 || n % 11 === 0;

describe('fileData after kill -9 of its process', () => {
  it(`has all that was acknowledged, ${KILLS} times`, { timeout: 60_000 + KILLS * 3_000 }, async () => {
    const random = seededRandom(SEED);
    const [program, folder] = [await temporaryFolder(), await temporaryFolder()];
    await compileLib(program);
    await writeFile(join(program, 'writer.js'), WRITER);
    const fates = new Map<string, Fate>();
    const lost: string[] = [];
    let [next, acknowledged, longestGapMs, snapshots] = [1, 0, 0, 0];

    for (let kill = 0; kill < KILLS; kill++) {
      const syncOn = kill % 2 === 0 ? 'thread' : 'loop';
      const writer = spawn(process.execPath, [join(program, 'writer.js'), folder, String(next), syncOn], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(writer, 'exit');
      const killAt = 1 + pick(random, MOST_WRITES);
      let count = 0;
      let lastAt: number | undefined;
      for await (const line of createInterface(writer.stdout)) {
        const [, what, key, digits] = /^(begun|acknowledged) (\S+) (\d+)$/.exec(line) ?? [];
        if (key === undefined) continue;
        const n = Number(digits);
        next = Math.max(next, n + 1);
        const fate = fates.get(key) ?? { acknowledged: 0, begun: [] };
        fates.set(key, fate);
        if (what === 'begun') {
          fate.begun.push(n);
          continue;
        }
        fate.acknowledged = n;
        fate.begun = fate.begun.filter((other) => other > n);
        acknowledged += 1;
        const now = performance.now();
        longestGapMs = Math.max(longestGapMs, now - (lastAt ?? now));
        lastAt = now;
        if (++count === killAt) writer.kill('SIGKILL');
      }
      expect(await exited).toEqual([null, 'SIGKILL']);

      const data = await FileDataService.open({ path: folder });
      if (data.report.damage.length > 0) lost.push(`kill ${kill}: ${JSON.stringify(data.report.damage)}`);
      for (const [key, fate] of fates) {
        const found = (await data.get<{ n: number }>(key))?.n;
        const candidates = [fate.acknowledged, ...fate.begun];
        const now = candidates.find((n) => (isDelete(n) ? found === undefined : found === n));
        if (now === undefined) lost.push(`kill ${kill}: ${key} is ${String(found)}, not ${candidates.join(' or ')}`);
        fate.acknowledged = now ?? fate.acknowledged;
        fate.begun = [];
      }
      await data.close();
      snapshots += Number((await FileDataService.verify(folder)).bytes < 10_000_000);
    }

    console.log(
      `seed ${SEED}, ${KILLS} kills: ${acknowledged} writes acknowledged, longest gap ${Math.round(longestGapMs)} ms, ` +
        `${lost.length} lost or unreadable`,
    );
    expect(lost).toEqual([]);
    expect(acknowledged).toBeGreaterThan(KILLS);
    // Compacted all along, or the folder would have grown.
    expect(snapshots).toBe(KILLS);
  });
});
