import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { DataDamagedException, FileDataService } from 'nestjs-bulwark/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../contract/temporary-folder.js';
import { pick, seededRandom } from '../../support/seeded-random.js';
import { explained } from '../../support/explained.js';

const PLACES = 2_500;
const SEED = Number(process.env['BULWARK_FAULT_SEED'] ?? 7);

/** A folder with a snapshot and journals behind it, what is in it, and what its last commit has changed. */
async function fill(folder: string): Promise<{ content: Map<string, unknown>; before: Map<string, unknown> }> {
  const content = new Map<string, unknown>();
  const put = async (data: FileDataService, key: string, value: unknown): Promise<void> => {
    await data.put(key, value);
    content.set(key, value);
  };
  let data = await FileDataService.open({ path: folder });
  for (let n = 0; n < 30; n++) await put(data, 'large', `${'x'.repeat(60_000)}${n}`);
  for (let n = 0; n < 10; n++) await put(data, `in the snapshot ${n}`, { n });
  await data.close();
  data = await FileDataService.open({ path: folder });
  for (let n = 0; n < 10; n++) await put(data, `in a journal ${n}`, { n });
  await data.delete('in the snapshot 3');
  content.delete('in the snapshot 3');
  await data.close();
  data = await FileDataService.open({ path: folder });
  for (let n = 0; n < 10; n++) await put(data, `in the last journal ${n}`, { n });
  const before = new Map(content);
  await Promise.all([0, 1, 2].map((n) => put(data, `in the last journal ${n}`, { n, again: true })));
  await data.close();
  return { content, before };
}

async function read(data: FileDataService): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for await (const [key, value] of data.entries()) found.set(key, value);
  return found;
}

describe('one damaged byte of fileData', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(new Logger()));

  it(`gives the exact value or a clear error, at ${PLACES} places`, { timeout: 180_000 }, async () => {
    const random = seededRandom(SEED);
    const source = await temporaryFolder();
    const { content, before } = await fill(source);
    const files = new Map<string, Buffer>();
    for (const name of await readdir(source)) files.set(name, await readFile(join(source, name)));
    const names = [...files.keys()];
    expect(names.some((name) => name.startsWith('snapshot-'))).toBe(true);
    const counts = { exact: 0, error: 0, previous: 0 };
    const folder = join(await temporaryFolder(), 'copy');

    for (let place = 0; place < PLACES; place++) {
      const name = names[pick(random, names.length)] as string;
      const bytes = Buffer.from(files.get(name) as Buffer);
      // Half of them near the ends, where heads and the last commit are.
      const near = [pick(random, bytes.length), pick(random, 200), bytes.length - 1 - pick(random, 400)];
      const at = Math.max(0, Math.min(bytes.length - 1, near[pick(random, 3)] as number));
      bytes[at] = (bytes[at] as number) ^ (1 << pick(random, 8));
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder);
      for (const [other, whole] of files) await writeFile(join(folder, other), other === name ? bytes : whole);

      const where = `${name}, byte ${at}`;
      let data: FileDataService | undefined;
      try {
        data = await FileDataService.open({ path: folder });
        const found = await read(data);
        const differing = [...new Set([...content.keys(), ...found.keys()])].filter(
          (key) => JSON.stringify(found.get(key)) !== JSON.stringify(content.get(key)),
        );
        if (differing.length === 0) {
          counts.exact++;
          continue;
        }
        counts.previous++;
        expect(data.report.tornTail, where).toBeDefined();
        for (const key of differing) expect([where, found.get(key)]).toEqual([where, before.get(key)]);
      } catch (error) {
        if (!(error instanceof DataDamagedException)) throw error;
        counts.error++;
        expect(error.file, where).toContain(folder);
        expect(error.offset, where).toBeGreaterThanOrEqual(0);
      } finally {
        await data?.close();
      }
    }

    console.log(`seed ${SEED}: ${JSON.stringify(counts)}`);
    expect(counts.error).toBeGreaterThan(PLACES / 2);
    expect(counts.previous).toBeGreaterThan(0);
  });

  it('is told by verify, which changes nothing, and left out by salvage', async () => {
    const folder = await temporaryFolder();
    const { content } = await fill(folder);
    let path = '';
    for (const name of await readdir(folder)) {
      const bytes = await readFile(join(folder, name));
      const at = bytes.indexOf('in a journal 4');
      if (at === -1) continue;
      bytes[at] = 0;
      path = join(folder, name);
      await writeFile(path, bytes);
    }

    const report = await FileDataService.verify(folder);
    expect(report.damage).toMatchObject([{ file: path }]);
    await expect(FileDataService.open({ path: folder })).rejects.toMatchObject({ code: 'DATA_DAMAGED', file: path });
    const salvaged = await FileDataService.open({ path: folder, salvage: true });
    expect(salvaged.report.damage).toHaveLength(1);
    content.delete('in a journal 4');
    expect(await read(salvaged)).toEqual(content);
    await salvaged.put('after', 1);
    await salvaged.close();

    const later = await FileDataService.open({ path: folder });
    expect(await read(later)).toEqual(content.set('after', 1));
    await later.close();
  });
});

describe('a backup of fileData', () => {
  it('holds what was there at one moment, while it was written to, and can be restored', async () => {
    const [folder, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
    const data = await FileDataService.open({ path: folder });
    await Promise.all(Array.from({ length: 2_000 }, (_, n) => data.put(`k${n}`, { n })));
    const backup = join(elsewhere, 'backup');
    let isOver = false;
    let [n, acknowledged] = [0, 0];
    const writing = (async () => {
      while (!isOver) {
        n += 1;
        // Both or none, since they are in one order: b never is ahead of a.
        await data.put('a', n);
        await data.put('b', n);
        acknowledged = n;
      }
    })();
    const progress: number[] = [];
    await data.backup(backup, { onProgress: ({ doneBytes }) => progress.push(doneBytes) });
    const atMost = n;
    isOver = true;
    await writing;
    await data.close();

    expect(acknowledged).toBeGreaterThan(0);
    expect(progress.length).toBeGreaterThan(0);
    expect(await FileDataService.verify(backup)).toMatchObject({ damage: [], tornTail: undefined });
    const restored = join(elsewhere, 'restored');
    await FileDataService.restore(backup, restored);
    const copy = await FileDataService.open({ path: restored });
    const [a = 0, b = 0] = [await copy.get<number>('a'), await copy.get<number>('b')];
    expect(a - b === 0 || a - b === 1).toBe(true);
    expect(a).toBeLessThanOrEqual(atMost);
    expect(await copy.get('k1999')).toEqual({ n: 1_999 });
    await copy.put('c', 1);
    await copy.close();
    await expect(FileDataService.restore(backup, restored)).rejects.toThrow(explained('expected an empty folder'));
  });

  it('is refused where it is damaged, and removed where it is given up', async () => {
    const [folder, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
    const data = await FileDataService.open({ path: folder });
    await data.put('a', 1);
    const backup = join(elsewhere, 'backup');
    await data.backup(backup);
    await expect(data.backup(join(elsewhere, 'other'), { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow(
      explained('no'),
    );
    await data.close();
    expect(await readdir(elsewhere)).toEqual(['backup']);

    const bytes = await readFile(backup);
    bytes[bytes.length - 6] = (bytes[bytes.length - 6] as number) ^ 1;
    await writeFile(backup, bytes);

    expect((await FileDataService.verify(backup)).damage).toHaveLength(1);
    await expect(FileDataService.restore(backup, join(elsewhere, 'restored'))).rejects.toThrow(
      explained('is damaged at offset'),
    );
  });

  it('is no data folder that was copied', async () => {
    const folder = await temporaryFolder();
    await fill(folder);
    const copy = join(await temporaryFolder(), 'copy');
    await cp(folder, copy, { recursive: true });

    await expect(FileDataService.restore(copy, `${copy}-2`)).rejects.toThrow(explained(copy));
  });
});
