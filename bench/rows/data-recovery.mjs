import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileDataService } from 'nestjs-bulwark/data';
import { valueLine } from '../support/line.mjs';
import { extremes } from '../support/statistics.mjs';

export const title = 'fileData opens 1,000,000 records';

const RECORDS = 1_000_000;
const AT_ONCE = 10_000;
const MIB = 2 ** 20;
let folder;

/** Written once, then opened in fresh processes. */
export function tasks({ processes }) {
  folder = mkdtempSync(join(tmpdir(), 'bulwark-bench-'));
  return [{ task: 'fill', folder }, ...new Array(Math.min(3, processes)).fill({ task: 'open', folder })];
}

export async function measure({ task, folder: path }) {
  const begun = performance.now();
  const data = await FileDataService.open({ path });
  const ms = performance.now() - begun;
  const mib = process.memoryUsage.rss() / MIB;
  if (task === 'fill') {
    for (let from = 0; from < RECORDS; from += AT_ONCE) {
      const keys = Array.from({ length: AT_ONCE }, (_, n) => `key-${String(from + n).padStart(12, '0')}`);
      await Promise.all(keys.map((key) => data.put(key, 'v'.repeat(98))));
    }
  } else if (data.report.keys !== RECORDS) throw new Error(`expected ${RECORDS} keys, found ${data.report.keys}`);
  await data.close();
  return { task, seconds: ms / 1_000, mib };
}

export function report(results) {
  rmSync(folder, { recursive: true });
  const opened = results.filter(({ task }) => task === 'open');
  const line = (figure, key, unit, max) =>
    valueLine({ figure, unit, measured: extremes(opened.map((result) => result[key])), goal: { max } });
  return [
    line('1,000,000 records (16-byte keys, 100-byte values) recovered', 'seconds', 's', 3),
    line('1,000,000 records: memory of the process then', 'mib', 'MiB', 600),
  ];
}
