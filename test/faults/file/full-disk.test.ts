import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { DataWriteException, FileDataService } from 'nestjs-bulwark/data';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explained } from '../../support/explained.js';

const run = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

/** Why no small disk can be made here; undefined: it can. */
async function smallDiskMissing(): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'bulwark-disk-'));
  if (run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder)) {
    run('umount', folder);
    await rm(folder, { recursive: true });
    return undefined;
  }
  const missing = 'skipped: a tmpfs cannot be mounted here: run the tests as root';
  if (process.env['CI'] === 'true') throw new Error(missing);
  console.warn(missing);
  return missing;
}

const missing = await smallDiskMissing();

describe.skipIf(missing !== undefined)('fileData on a small disk', () => {
  let disk = '';

  beforeEach(async () => {
    Logger.overrideLogger(false);
    disk = await mkdtemp(join(tmpdir(), 'bulwark-disk-'));
    expect(run('mount', '-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk)).toBe(true);
  });

  afterEach(async () => {
    Logger.overrideLogger(new Logger());
    expect(run('umount', disk)).toBe(true);
    await rm(disk, { recursive: true });
  });

  it('fails the put with the reason while it is full, and goes on when there is room again', async () => {
    const folder = join(disk, 'data');
    const data = await FileDataService.open({ path: folder });
    await data.put('before', 1);
    await writeFile(join(disk, 'ballast'), Buffer.alloc(1_500_000));
    let stored = 0;
    let error: unknown;
    for (; error === undefined && stored < 100; stored++) {
      await data.put(`k${stored}`, 'x'.repeat(100_000)).catch((reason: unknown) => (error = reason));
    }
    stored -= 1;
    expect(error).toBeInstanceOf(DataWriteException);
    expect(error).toMatchObject({ cause: { code: 'ENOSPC' } });
    await expect(data.put('large', 'x'.repeat(500_000))).rejects.toMatchObject({ cause: { code: 'ENOSPC' } });
    expect(await data.get('before')).toBe(1);

    await rm(join(disk, 'ballast'));
    await data.put('after', 2);
    await data.close();

    const later = await FileDataService.open({ path: folder });
    const keys: string[] = [];
    for await (const [key] of later.entries()) keys.push(key);
    await later.close();
    expect(keys).toEqual(['after', 'before', ...Array.from({ length: stored }, (_, n) => `k${n}`).sort()]);
  });

  it('fails the put with the reason while it is read-only, and goes on when it can be written again', async () => {
    const folder = join(disk, 'data');
    let data = await FileDataService.open({ path: folder });
    await data.put('before', 1);
    await data.close();
    expect(run('mount', '-o', 'remount,ro', disk)).toBe(true);
    const opening = FileDataService.open({ path: folder });
    await expect(opening).rejects.toMatchObject({ code: 'DATA_ACCESS_DENIED', cause: { code: 'EROFS' } });
    await expect(opening).rejects.toThrow(
      explained(/The data folder .* cannot be opened: EROFS.*; mount the volume writable/),
    );
    expect((await FileDataService.verify(folder)).keys).toBe(1);

    expect(run('mount', '-o', 'remount,rw', disk)).toBe(true);
    data = await FileDataService.open({ path: folder });
    await data.put('after', 2);
    expect(await data.get('before')).toBe(1);
    await data.close();
  });
});
