import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { FileDataService } from 'nestjs-bulwark/data';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../contract/temporary-folder.js';
import { compileLib } from '../../support/compiled-lib.js';
import { pick, seededRandom } from '../../support/seeded-random.js';
import { until } from '../../support/until.js';

const ROUNDS = Number(process.env['BULWARK_ROUNDS'] ?? 200);
const SEED = Number(process.env['BULWARK_FAULT_SEED'] ?? Date.now() % 1_000_000);
const LEASE = 100;

/**
 * Opens the folder, again and again, and writes while it has it: each writer to keys of its own, but all of both processes
 * to the key `shared` as well. What is read must never be older than what this process has seen before.
 */
const WRITER = `
import { writeSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { FileDataService } from './data/index.js';
Logger.overrideLogger(false);
const [folder, name, lease] = process.argv.slice(2);
const say = (text) => {
  // The pipe may be full while the test is busy.
  for (let rest = Buffer.from(text + '\\n'); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
};
let n = 0;
const write = async (data, writer) => {
  for (;;) {
    const key = name + '-' + writer;
    const value = ++n;
    await data.put(key, value);
    say('acknowledged ' + key + ' ' + value);
    // One that has lost the folder must not serve what it remembers.
    const seen = await data.get(key);
    if (seen !== value) say('stale ' + key + ' ' + seen + ' for ' + value);
  }
};
for (;;) {
  let data;
  try {
    data = await FileDataService.open({ path: folder, lease: Number(lease) });
    say('opened');
    await Promise.all([0, 1, 2].map((writer) => write(data, writer)));
  } catch (error) {
    say('code ' + (error.code ?? error.stack));
    await data?.close().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
`;

class Writer {
  readonly process: ChildProcess;
  readonly acknowledged = new Map<string, number>();
  readonly codes = new Set<string>();
  readonly stale: string[] = [];
  opened = 0;
  count = 0;

  constructor(program: string, folder: string, name: string) {
    this.process = spawn(process.execPath, [join(program, 'writer.js'), folder, name, String(LEASE)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface(this.process.stdout!).on('line', (line) => this.#read(line));
  }

  readonly last: string[] = [];

  #read(line: string): void {
    this.last.push(line);
    if (this.last.length > 5) this.last.shift();
    // A process that is stopped in the middle of a line may go on in the middle of another one.
    const [, what, key = '', value] =
      /^(opened|code (?=\S)|stale (?=\S)|acknowledged (?=(?:one|two)-\d \d+$))(\S*) ?(\d*)/.exec(line) ?? [];
    if (what === 'opened') this.opened++;
    else if (what === 'code ') this.codes.add(key);
    else if (what === 'stale ') this.stale.push(line);
    else if (what !== undefined) {
      this.count++;
      this.acknowledged.set(key, Number(value));
    }
  }
}

it(
  `an owner that stands still past its lease and goes on loses nothing that either has acknowledged, ${ROUNDS} times`,
  { timeout: 60_000 + ROUNDS * 2_000 },
  async () => {
    const random = seededRandom(SEED);
    const [program, folder] = [await temporaryFolder(), await temporaryFolder()];
    await compileLib(program);
    await writeFile(join(program, 'writer.js'), WRITER);
    const writers = ['one', 'two'].map((name) => new Writer(program, folder, name));
    try {
      for (let round = 0; round < ROUNDS; round++) {
        // Whoever has it: on a busy machine one may have lost it to the other in between.
        const before = writers.map(({ count }) => count);
        const wanted = pick(random, 20);
        const owning = (): Writer | undefined => writers.find(({ count }, at) => count > before[at]! + wanted);
        await until('one of them owns the folder', () => owning() !== undefined, 60_000);
        const owner = owning()!;
        const other = writers.find((one) => one !== owner)!;
        owner.process.kill('SIGSTOP');
        const taken = other.count;
        await until('the other has taken it over', () => other.count > taken + pick(random, 20), 60_000);
        owner.process.kill('SIGCONT');
        // Both are awake now, and the late one has to find out.
        await delay(pick(random, 30));
      }
    } catch (error) {
      const names = (await readdir(folder)).join(' ');
      throw new Error(`seed ${SEED}: ${names}; ${JSON.stringify(writers.map(({ last }) => last))}`, { cause: error });
    } finally {
      for (const { process } of writers) process.kill('SIGKILL');
      for (const { process } of writers) if (process.signalCode === null) await once(process, 'exit');
    }
    const data = await FileDataService.open({ path: folder, lease: LEASE });
    const lost: string[] = [];
    for (const { acknowledged } of writers) {
      for (const [key, value] of acknowledged) {
        const found = await data.get<number>(key);
        // The last one may have been applied and not acknowledged.
        if (found === undefined || found < value) lost.push(`${key}: ${String(found)} for ${value} (seed ${SEED})`);
      }
    }
    const { damage } = data.report;
    await data.close();

    expect(lost).toEqual([]);
    expect(damage).toEqual([]);
    expect(writers.flatMap(({ stale }) => stale)).toEqual([]);
    expect(writers.map(({ codes }) => [...codes])).toEqual([['DATA_OWNED'], ['DATA_OWNED']]);
    for (const { opened } of writers) expect(opened).toBeGreaterThanOrEqual(ROUNDS / 2);
  },
);
