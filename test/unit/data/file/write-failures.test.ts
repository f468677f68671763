import { readdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Logger } from '@nestjs/common';
import { FileDataService } from 'nestjs-bulwark/data';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../../contract/temporary-folder.js';
import type { Fault } from './failing-file-system.js';
import { failingFileSystem } from './failing-file-system.js';
import { nodeFileSystem } from '../../../../lib/data/file/node-file-system.js';
import { explained } from '../../../support/explained.js';

const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
const WRITES = ['write', 'writeNow'];

interface Scene {
  folder: string;
  data: FileDataService;
  /** From now on, these calls fail. */
  fail(...calls: string[]): void;
  /** The calls that were made, each with the name of its file. */
  calls: string[];
}

async function openScene(): Promise<Scene> {
  const folder = await temporaryFolder();
  let failing: string[] = [];
  const calls: string[] = [];
  const fault: Fault = (call, file) => {
    calls.push(`${call} ${basename(file)}`);
    if (failing.includes(call)) throw full;
  };
  const data = await FileDataService.open({ path: folder }, failingFileSystem(fault));
  await data.put('before', 1);
  calls.length = 0;
  return { folder, data, calls, fail: (...names) => (failing = names) };
}

const failAtRename: Fault = (call) => {
  if (call === 'rename') throw full;
};

async function stored(folder: string): Promise<[string, unknown][]> {
  const data = await FileDataService.open({ path: folder });
  const all: [string, unknown][] = [];
  for await (const entry of data.entries()) all.push(entry);
  await data.close();
  return all;
}

describe('a journal that cannot be written', () => {
  it.each([
    ['write', WRITES],
    ['write, and cutting back', [...WRITES, 'truncate']],
    ['sync', ['sync']],
  ])('fails the put with the reason, shows nothing of it, and goes on afterwards: %s', async (_, failing) => {
    const { folder, data, fail } = await openScene();
    fail(...failing);
    const lost = data.put('lost', 'a value of some length');
    await expect(lost).rejects.toMatchObject({ code: 'DATA_WRITE_FAILED', cause: full });
    await expect(lost).rejects.toThrow(explained(/"lost" could not be written to .*journal-1: ENOSPC: no space left/));
    expect(await data.get('lost')).toBeUndefined();
    fail();
    await data.put('a', 1);
    await data.close();

    expect(await stored(folder)).toEqual([
      ['a', 1],
      ['before', 1],
    ]);
  });

  it('fails every change of the commit, and nothing that was judged by them stays', async () => {
    const { data, fail } = await openScene();
    fail(...WRITES);
    const outcomes = await Promise.allSettled([
      data.put('a', 1, { ifVersion: null }),
      data.put('a', 2, { ifVersion: null }),
      data.delete('before'),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    fail();
    expect(await data.get('before')).toBe(1);
    await data.put('a', 3, { ifVersion: null });
    await data.close();
  });

  it('is never synced again after a failed sync: the next acknowledgement comes from a new file', async () => {
    const { folder, data, fail, calls } = await openScene();
    fail('sync');
    await expect(data.put('a', 1)).rejects.toThrow(explained('ENOSPC'));
    fail('open');
    await expect(data.put('a', 2)).rejects.toThrow(explained('ENOSPC'));
    fail();
    calls.length = 0;
    await data.put('a', 3);

    expect(calls).not.toContain('sync journal-1');
    expect(calls.indexOf('sync journal-2')).toBeGreaterThan(calls.indexOf(`syncFolder ${basename(folder)}`));
    await data.close();
    expect(await stored(folder)).toEqual([
      ['a', 3],
      ['before', 1],
    ]);
  });

  it('acknowledges nothing while the folder cannot be synced', async () => {
    const { data, fail } = await openScene();
    fail('sync');
    await expect(data.put('a', 1)).rejects.toThrow(explained('ENOSPC'));
    fail('syncFolder');
    await expect(data.put('a', 2)).rejects.toThrow(explained('ENOSPC'));
    await expect(data.put('a', 2)).rejects.toThrow(explained('ENOSPC'));
    fail();
    await data.put('a', 3);

    expect(await data.get('a')).toBe(3);
    await data.close();
  });

  it('keeps what it has when it cannot be compacted', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const { folder, data, fail } = await openScene();
    fail('rename');
    for (let i = 0; i < 12; i++) await data.put('a', `${'x'.repeat(200_000)}${i}`);
    await vi.waitFor(() => expect(warn).toHaveBeenCalled(), 30_000);
    fail();
    await data.put('b', 1);
    await data.close();

    expect((await stored(folder)).map(([key]) => key)).toEqual(['a', 'b', 'before']);
    expect(warn.mock.calls[0]?.[0]).toMatch(/could not be compacted: .*ENOSPC/);
    warn.mockRestore();
  });

  it('does not try to compact at every commit, where that fails', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const folder = await temporaryFolder();
    for (let life = 0; life < 35; life++) {
      const data = await FileDataService.open({ path: folder }, failingFileSystem(failAtRename));
      await data.put('a', life);
      await data.close();
    }
    warn.mockClear();
    const data = await FileDataService.open({ path: folder }, failingFileSystem(failAtRename));
    for (let n = 0; n < 30; n++) await data.put('a', n);
    await data.close();

    expect(warn).toHaveBeenCalledOnce();
    expect((await readdir(folder)).filter((name) => name.startsWith('journal-')).length).toBeLessThan(50);
    warn.mockRestore();
  });

  it('keeps the files small while the same keys are written again and again', async () => {
    const { folder, data } = await openScene();
    for (let i = 0; i < 60; i++) await data.put('a', `${'x'.repeat(100_000)}${i}`);
    await data.close();

    const { bytes, keys } = await FileDataService.verify(folder);
    expect(keys).toBe(2);
    expect(bytes).toBeLessThan(2_500_000);
    expect((await readdir(folder)).some((name) => name.startsWith('snapshot-'))).toBe(true);
  });
});

describe('one sync', () => {
  it('is shared by all that wait', async () => {
    const { data, calls } = await openScene();
    await Promise.all(Array.from({ length: 500 }, (_, i) => data.put(`k${i}`, i)));

    expect(calls).toEqual(['writeNow journal-1', 'sync journal-1']);
    await data.close();
  });

  it('is not spent on what changes nothing', async () => {
    const { data, calls } = await openScene();
    await data.delete('nothing');
    await data.put('before', 2, { ifVersion: null }).catch(() => undefined);

    expect(calls).toEqual([]);
    await data.close();
  });
});

describe('reading everything once', () => {
  it('leaves in memory what is in use', async () => {
    const folder = await temporaryFolder();
    const filler = 'x'.repeat(1_000);
    const writer = await FileDataService.open({ path: folder });
    await Promise.all(Array.from({ length: 50 }, (_, n) => writer.put(`k${n}`, filler)));
    await writer.close();
    const calls: string[] = [];
    const fileSystem = failingFileSystem((call) => void calls.push(call));
    const data = await FileDataService.open({ path: folder, cacheBytes: 10_000 }, fileSystem);
    await data.get('k1');

    let count = 0;
    for await (const [, value] of data.entries()) if (value === filler) count++;
    calls.length = 0;
    await data.get('k1');

    expect(count).toBe(50);
    expect(calls).toEqual([]);
    await data.close();
  });
});

describe('ping', () => {
  it('rejects where the journal was deleted', async () => {
    const { folder, data } = await openScene();
    await data.ping();
    await unlink(join(folder, 'journal-1'));

    await expect(data.ping()).rejects.toThrow(explained(`The data folder ${folder} was taken over`));
    await data.close();
  });
});

describe('a service whose folder was taken over', () => {
  it('acknowledges nothing more, whatever its lock says', async () => {
    const { folder, data } = await openScene();
    const lock = (await readdir(folder)).find((name) => name.startsWith('owner-'));
    await unlink(join(folder, lock!));
    const fileSystem = failingFileSystem(() => undefined);
    // As another process would create it.
    await (await fileSystem.open(join(folder, 'journal-2'), 'create')).close();

    await expect(data.put('a', 1)).rejects.toMatchObject({ code: 'DATA_OWNED' });
    await expect(data.put('b', 1)).rejects.toMatchObject({ code: 'DATA_OWNED' });
    await data.close();
  });
});

describe('an opening that fails', () => {
  it('keeps the journal by which a former owner learns that it lost the folder, whoever else opens it', async () => {
    const { folder, data } = await openScene();
    const lock = (await readdir(folder)).find((name) => name.startsWith('owner-'));
    await unlink(join(folder, lock!));
    const link = join(await temporaryFolder(), 'as another process sees it');
    await symlink(folder, link);
    const fileSystem = failingFileSystem((call) => {
      if (call === 'size') throw full;
    });
    // Its path is not resolved, so that it is taken for another folder than the one that this process has open.
    const elsewhere = Object.create(fileSystem, {
      realPath: { value: async (path: string) => path },
    }) as typeof fileSystem;
    await expect(FileDataService.open({ path: link }, elsewhere)).rejects.toThrow(explained('ENOSPC'));

    await expect(data.put('a', 1)).rejects.toMatchObject({ code: 'DATA_OWNED' });
    await data.close();
  });
});

describe('open', () => {
  it.each(['open', 'list', 'createText', 'syncFolder'])(
    'leaves nothing claimed where it fails: %s',
    async (failing) => {
      const folder = await temporaryFolder();
      const fault: Fault = (call) => {
        if (call === failing) throw full;
      };
      await expect(FileDataService.open({ path: folder }, failingFileSystem(fault))).rejects.toThrow(
        explained('ENOSPC'),
      );

      expect(await stored(folder)).toEqual([]);
    },
  );

  it('syncs the folders above the ones that it creates', async () => {
    const folder = await temporaryFolder();
    const synced: string[] = [];
    const fileSystem = failingFileSystem((call, file) => void (call === 'syncFolder' && synced.push(file)));
    const data = await FileDataService.open({ path: join(folder, 'a', 'b') }, fileSystem);
    await data.close();

    expect(synced.slice(0, 2)).toEqual([join(folder, 'a'), folder]);
  });
});

it.each([
  ['missing rights', 'EACCES', 'DATA_ACCESS_DENIED', 'let the user of this process read and write there'],
  ['a disk that fails', 'EIO', 'DATA_UNAVAILABLE', 'EIO'],
])('what the system says while a folder is in use is a data error, on every way: %s', async (_, code, kind, advice) => {
  const path = await temporaryFolder();
  let fails = false;
  const fail = (): void => {
    if (fails) throw Object.assign(new Error(`${code}: it fails, stat '${path}'`), { code, syscall: 'stat' });
  };
  const data = await FileDataService.open(
    { path },
    { ...nodeFileSystem, exists: (file) => (fail(), nodeFileSystem.exists(file)) },
  );
  await data.put('a', 1);
  fails = true;
  const expected = { code: kind, explanation: expect.stringContaining(advice) as string };

  await expect(data.ping()).rejects.toMatchObject(expected);
  await expect(data.put('a', 2)).rejects.toMatchObject({ code: 'DATA_WRITE_FAILED' });
  fails = false;
  await data.close();
});

it('a backup that cannot be written, read or unpacked says so as a data error, with what to do', async () => {
  const path = await temporaryFolder();
  const data = await FileDataService.open({ path: join(path, 'data') });
  await data.put('a', 1);
  const [backup, file] = [join(path, 'backup'), join(path, 'file')];
  await data.backup(backup);
  await writeFile(file, '');
  const denied = (advice: RegExp) => ({
    code: 'DATA_ACCESS_DENIED',
    explanation: expect.stringMatching(advice) as string,
  });

  await expect(data.backup(join(path, 'none', 'backup'))).rejects.toMatchObject(
    denied(/ENOENT.*; create what is missing/),
  );
  await expect(FileDataService.restore(backup, file)).rejects.toMatchObject(
    denied(/EEXIST.*; name a path that is a folder/),
  );
  await expect(FileDataService.restore(join(path, 'none'), path)).rejects.toMatchObject(denied(/ENOENT/));
  await expect(FileDataService.verify(join(path, 'none'))).rejects.toMatchObject(denied(/ENOENT/));
  await data.close();
});
