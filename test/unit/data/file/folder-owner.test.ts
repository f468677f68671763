import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DataOwnedException, FileDataService } from 'nestjs-bulwark/data';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeFileSystem } from '../../../../lib/data/file/node-file-system.js';
import { currentProcess } from '../../../../lib/data/file/process-identity.js';
import { temporaryFolder } from '../../../contract/temporary-folder.js';
import { explained } from '../../../support/explained.js';

const UUID = '00000000-0000-4000-8000-000000000000';

async function claimedBy(pid: number, content: unknown): Promise<string> {
  const folder = await temporaryFolder();
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  await writeFile(join(folder, `owner-${pid}-${UUID}.lock`), text);
  return folder;
}

async function runningPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child.pid!;
}

async function endedPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
}

async function openAndClose(folder: string, lease?: number): Promise<void> {
  await (await FileDataService.open({ path: folder, lease })).close();
}

describe('the owner of a data folder', () => {
  it('keeps a second service of the same process out, until it is closed', async () => {
    const folder = await temporaryFolder();
    const first = await FileDataService.open({ path: folder });
    const link = join(await temporaryFolder(), 'link');
    await symlink(folder, link);
    const second = FileDataService.open({ path: link });

    await expect(second).rejects.toThrow(DataOwnedException);
    await expect(second).rejects.toThrow(
      explained(`${folder} is in use by a service of this process (pid ${process.pid})`),
    );
    await first.close();
    await openAndClose(folder);
    expect((await readdir(folder)).filter((name) => !name.startsWith('journal-'))).toEqual([]);
  });

  it('is exactly one of two that open at the same moment', async () => {
    const folder = await temporaryFolder();
    const outcomes = await Promise.allSettled([
      FileDataService.open({ path: folder }),
      FileDataService.open({ path: folder }),
    ]);

    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.close();
  });

  it('is named where it is another process that runs', async () => {
    const pid = await runningPid();
    const folder = await claimedBy(pid, { pid, host: hostname(), started: '', since: '2026-01-01' });

    await expect(openAndClose(folder)).rejects.toThrow(
      explained(`in use by process ${pid} on ${hostname()} since 2026-01-01`),
    );
    await expect(openAndClose(folder)).rejects.toThrow(
      explained(`delete ${join(folder, `owner-${pid}-${UUID}.lock`)}`),
    );
  });

  it('is waited for where it is about to say who it is, and followed where it never does', async () => {
    const pid = await runningPid();
    const folder = await claimedBy(pid, '');
    const start = performance.now();
    await openAndClose(folder, 300);

    expect(performance.now() - start).toBeGreaterThan(290);
    await openAndClose(await claimedBy(await endedPid(), '{"pi'), 50);
  });

  it('is followed where its process has ended', async () => {
    const pid = await endedPid();
    const folder = await claimedBy(pid, { pid, host: hostname(), started: '', since: '2026-01-01' });
    await openAndClose(folder);

    expect((await readdir(folder)).filter((name) => !name.startsWith('journal-'))).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('is followed where its process id was given out again', async () => {
    const former = { ...(await currentProcess(nodeFileSystem)), started: 'another-boot:1', since: '2026-01-01' };

    await openAndClose(await claimedBy(process.pid, former));
  });

  it('is kept, where it is of a version without leases, on another host, since nobody here can tell', async () => {
    const folder = await claimedBy(1, { pid: 1, host: 'elsewhere', started: '', since: '2026-01-01' });

    await expect(openAndClose(folder, 20)).rejects.toThrow(explained('in use by process 1 on elsewhere'));
    await expect(openAndClose(folder, 20)).rejects.toThrow(
      explained(
        `its file was written by a version without leases and never expires: if that process is gone for good, delete ${folder}`,
      ),
    );
  });

  it('is not disturbed by other files', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'owner-1-x.lock'));
    await writeFile(join(folder, 'notes.txt'), '');

    await openAndClose(folder);
  });
});
