import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { DataDamagedException, FileDataService } from 'nestjs-bulwark/data';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../../contract/temporary-folder.js';

let warnings: string[] = [];

beforeEach(() => {
  warnings = [];
  vi.spyOn(Logger.prototype, 'warn').mockImplementation((text: string) => void warnings.push(text));
});

afterEach(() => vi.restoreAllMocks());

/** A folder with the commits k0 = 0, k1 = 1, ... one after the other. */
async function folderWith(commits: number): Promise<{ folder: string; journal: string }> {
  const folder = await temporaryFolder();
  const data = await FileDataService.open({ path: folder });
  for (let i = 0; i < commits; i++) await data.put(`k${i}`, i);
  await data.close();
  return { folder, journal: join(folder, 'journal.log') };
}

async function readAll(folder: string): Promise<Record<string, unknown>> {
  const data = await FileDataService.open({ path: folder });
  const all: Record<string, unknown> = {};
  for await (const [key, value] of data.entries()) all[key] = value;
  await data.close();
  return all;
}

describe('the end of a journal', () => {
  it('is cut back to the last whole commit, wherever it was torn', async () => {
    const { folder, journal } = await folderWith(3);
    const whole = await readFile(journal);
    const lastCommit = whole.lastIndexOf('commit ');
    for (let length = lastCommit; length < whole.length; length++) {
      await writeFile(journal, whole.subarray(0, length));

      expect(await readAll(folder)).toEqual({ k0: 0, k1: 1 });
      expect((await readFile(journal)).length).toBe(lastCommit);
    }
  });

  it.each([
    'x',
    'commit 9 1000000 00000000\n',
    'commit 9 99999999999 00000000\nput',
    '\0'.repeat(5_000_000),
    '\ncommit ',
  ])('is cut off where it is rubbish (%#)', async (rubbish) => {
    const { folder, journal } = await folderWith(2);
    const whole = await readFile(journal);
    await appendFile(journal, rubbish);

    expect(await readAll(folder)).toEqual({ k0: 0, k1: 1 });
    expect((await readFile(journal)).equals(whole)).toBe(true);
  });

  it('takes new commits after it was cut', async () => {
    const { folder, journal } = await folderWith(2);
    await truncate(journal, (await readFile(journal)).length - 1);
    const data = await FileDataService.open({ path: folder });
    expect(warnings).toEqual([
      expect.stringMatching(/journal\.log: cut off \d+ bytes of a commit that was never finished/),
    ]);
    await data.put('new', 1);
    await data.close();

    expect(await readAll(folder)).toEqual({ k0: 0, new: 1 });
  });

  it('is a commit that counts as a whole or not at all', async () => {
    const { folder, journal } = await folderWith(1);
    const data = await FileDataService.open({ path: folder });
    await Promise.all([data.put('a', 1), data.put('b', 1), data.delete('k0')]);
    await data.close();
    await truncate(journal, (await readFile(journal)).length - 1);

    expect(await readAll(folder)).toEqual({ k0: 0 });
  });
});

describe('damage', () => {
  it('to any byte before the last commit is an error that names file and offset, and changes nothing', async () => {
    const { folder, journal } = await folderWith(3);
    const whole = await readFile(journal);
    const lastCommit = whole.lastIndexOf('commit ');
    for (let at = 0; at < lastCommit; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 1;
      await writeFile(journal, damaged);
      const opening = FileDataService.open({ path: folder });

      await expect(opening).rejects.toThrow(DataDamagedException);
      await expect(opening).rejects.toMatchObject({ file: journal, code: 'DATA_DAMAGED' });
      expect(((await opening.catch((error: unknown) => error)) as DataDamagedException).offset).toBeLessThanOrEqual(at);
      expect((await readFile(journal)).equals(damaged)).toBe(true);
    }
  });

  it('leaves the folder free for the next try', async () => {
    const { folder, journal } = await folderWith(1);
    const whole = await readFile(journal);
    await writeFile(journal, 'something else');
    await expect(readAll(folder)).rejects.toThrow(
      'is damaged at offset 0: expected it to begin with "bulwark-journal 2',
    );
    await writeFile(journal, whole);

    expect(await readAll(folder)).toEqual({ k0: 0 });
  });
});

describe('compaction', () => {
  const large = 'x'.repeat(200_000);

  it('keeps the journal small while the same keys are written again and again', async () => {
    const { folder, journal } = await folderWith(2);
    const data = await FileDataService.open({ path: folder });
    for (let i = 0; i < 40; i++) await data.put('a', `${large}${i}`);
    const { version } = (await data.entry('a'))!;
    await data.close();

    expect((await readFile(journal)).length).toBeLessThan(2_000_000);
    expect(await readAll(folder)).toEqual({ a: `${large}39`, k0: 0, k1: 1 });
    const later = await FileDataService.open({ path: folder });
    expect((await later.entry('a'))?.version).toBe(version);
    await later.close();
    expect((await readdir(folder)).filter((name) => name !== 'journal.log')).toEqual([]);
  });

  it('gives out no version a second time after everything was deleted', async () => {
    const { folder, journal } = await folderWith(0);
    const data = await FileDataService.open({ path: folder });
    for (let i = 0; i < 10; i++) await data.put(`a${i}`, large);
    const { version } = (await data.entry('a9'))!;
    await Promise.all(Array.from({ length: 10 }, (_, i) => data.delete(`a${i}`)));
    await data.close();

    expect((await readFile(journal)).length).toBeLessThan(1_000);
    const later = await FileDataService.open({ path: folder });
    await later.put('b', 1);
    expect((await later.entry('b'))!.version > version).toBe(true);
    await later.close();
  });

  it('happens at open, and removes what an interrupted one has left', async () => {
    const { folder, journal } = await folderWith(1);
    await writeFile(`${journal}.tmp`, 'half');

    expect(await readAll(folder)).toEqual({ k0: 0 });
    expect(await readdir(folder)).toEqual(['journal.log']);
  });

  it('writes more than one frame, and values near the limits', async () => {
    const { folder } = await folderWith(0);
    const data = await FileDataService.open({ path: folder });
    const longest = 'x'.repeat(1024 * 1024 - 2);
    await Promise.all(Array.from({ length: 12 }, (_, i) => data.put('\u0001'.repeat(500) + i, longest)));
    await Promise.all(Array.from({ length: 12 }, (_, i) => data.put(`b${i}`, longest)));
    await Promise.all(Array.from({ length: 12 }, (_, i) => data.delete('\u0001'.repeat(500) + i)));
    await data.close();

    expect(Object.keys(await readAll(folder)).length).toBe(12);
  });
});
