import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseDataService, FileDataService } from 'nestjs-bulwark/data';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { builtCli } from '../sample/support/built-sample.js';
import { dataCli } from './support/run-cli.js';
import { contentOf, fill, fillPlain, using } from './support/stores.js';

beforeAll(async () => {
  await builtCli();
}, 300_000);

describe('a backup', () => {
  it('of files or of a database brings all back that was there', async () => {
    const home = await temporaryFolder();
    const [data, backup, again, restored] = ['data', 'backup', 'again', 'restored'].map((name) => join(home, name)) as [
      string,
      string,
      string,
      string,
    ];
    const content = await using(FileDataService.open({ path: data }), async (store) => {
      await fill(store, 200);
      return contentOf(store);
    });
    const sqlite = `sqlite:${join(home, 'shop.db')}`;

    const results = [
      await dataCli(['backup', '--from', `file:${data}`, '--to', backup]),
      await dataCli(['restore', '--from', backup, '--to', sqlite]),
      await dataCli(['backup', '--from', sqlite, '--to', again]),
      await dataCli(['restore', '--from', again, '--to', `file:${restored}`]),
    ];

    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(results[0]?.out).toMatch(/verified: both hold the same 214 entries.*\nthe backup is \/.*backup\n$/);
    expect(existsSync(`${backup}.partial`)).toBe(false);
    expect(await using(FileDataService.open({ path: restored }), contentOf)).toEqual(content);
    expect(await dataCli(['verify', `file:${backup}`])).toMatchObject({
      code: 0,
      out: '214 entries: nothing is wrong\n',
    });
  });

  it('that an app has written to one file is verified and brought back, and leaves nothing behind', async () => {
    const home = await temporaryFolder();
    const [data, backup] = [join(home, 'data'), join(home, 'monday')];
    const content = await using(FileDataService.open({ path: data }), async (store) => {
      await fill(store, 200);
      await store.backup(backup);
      return contentOf(store);
    });
    const sqlite = `sqlite:${join(home, 'shop.db')}`;
    const temporary = join(home, 'tmp');
    await mkdir(temporary);

    const verified = await dataCli(['verify', `file:${backup}`]);
    const restored = await dataCli(['restore', '--from', backup, '--to', sqlite], { TMPDIR: temporary });
    await writeFile(backup, (await readFile(backup)).subarray(0, -100));
    const cut = await dataCli(['restore', '--from', backup, '--to', `file:${join(home, 'other')}`], {
      TMPDIR: temporary,
    });

    expect(verified).toMatchObject({ code: 0, out: '214 entries: nothing is wrong\n' });
    expect(restored.code).toBe(0);
    expect(await using(DatabaseDataService.open({ url: sqlite }), contentOf)).toEqual(content);
    expect(cut).toMatchObject({ code: 1, err: expect.stringMatching(/restore failed: .*monday/) });
    expect(await readdir(temporary)).toEqual([]);
  });

  it('is not begun where one is already, or where an app has the files, nor brought back over data', async () => {
    const home = await temporaryFolder();
    const [data, backup] = [join(home, 'data'), join(home, 'backup')];
    const store = await FileDataService.open({ path: data });
    onTestFinished(() => store.close());
    await store.put('key', 'value');

    const owned = await dataCli(['backup', '--from', `file:${data}`, '--to', backup]);
    await store.close();
    const first = await dataCli(['backup', '--from', `file:${data}`, '--to', backup]);
    const second = await dataCli(['backup', '--from', `file:${data}`, '--to', backup]);
    const over = await dataCli(['restore', '--from', backup, '--to', `file:${data}`]);

    expect(owned.code).toBe(1);
    expect(owned.err).toContain(`is in use by process ${process.pid}`);
    expect(first.code).toBe(0);
    expect(second).toMatchObject({
      code: 1,
      err: `backup failed: ${backup} is there already; expected a new folder\n`,
    });
    expect(over.code).toBe(1);
    expect(over.err).toContain('holds data, such as "key"; expected an empty store');
  });
});

describe('a damaged file', () => {
  /** A file store of several commits, with one bit changed at that share of its journal. */
  async function damaged(share: number): Promise<{ home: string; data: string }> {
    const home = await temporaryFolder();
    const data = join(home, 'data');
    await using(FileDataService.open({ path: data }), async (store) => {
      await fillPlain(store, 200);
      await store.put('last', 'commit');
    });
    const [file] = (await readdir(data)).filter((name) => name.startsWith('journal'));
    const path = join(data, file as string);
    const bytes = await readFile(path);
    const place = Math.min(bytes.length - 1, Math.floor(bytes.length * share));
    bytes.writeUInt8(bytes.readUInt8(place) ^ 0x10, place);
    await writeFile(path, bytes);
    return { home, data };
  }

  it('is found, with its name and the place, and no backup is made of it', async () => {
    const { home, data } = await damaged(0.5);

    const verified = await dataCli(['verify', `file:${data}`]);
    const kept = await dataCli(['backup', '--from', `file:${data}`, '--to', join(home, 'backup')]);

    expect([verified.code, kept.code]).toEqual([1, 1]);
    expect(verified.out).toMatch(/journal-1 at offset \d+: expected record/);
    expect(existsSync(join(home, 'backup'))).toBe(false);
  });

  it('is never sound, where only the last commit was cut off', async () => {
    const { data } = await damaged(1);

    const { code, out, err } = await dataCli(['verify', `file:${data}`]);

    expect(code).toBe(1);
    expect(out).toContain('1 thing is wrong, among 200 entries');
    expect(out).toContain('bytes of a commit that was never finished');
    expect(err).toBe('');
  });
});
