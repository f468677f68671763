import { writeFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { DataOwnedException, FileDataService } from 'nestjs-bulwark/data';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bootMs, claimFileName, encodeClaim, type Claim } from '../../../../lib/data/file/claim-file.js';
import { nodeFileSystem } from '../../../../lib/data/file/node-file-system.js';
import { FolderOwner } from '../../../../lib/data/file/folder-owner.js';
import { leaveHere } from '../../../../lib/data/file/owned-here.js';
import { currentProcess } from '../../../../lib/data/file/process-identity.js';
import { temporaryFolder } from '../../../contract/temporary-folder.js';
import { explained } from '../../../support/explained.js';

const warnings: string[] = [];
beforeEach(() => {
  warnings.length = 0;
  vi.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void warnings.push(String(line)));
  vi.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void warnings.push(String(line)));
});
afterEach(() => void vi.restoreAllMocks());

const logger = new Logger('test');
const id = (n: number): string => `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`;

/** A service of another machine, as far as its file shows it. */
class Stranger {
  readonly name: string;
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly folder: string,
    n: number,
    private claim: Claim,
  ) {
    this.name = claimFileName(claim.pid, id(n));
  }

  static async in(folder: string, claim: Partial<Claim> = {}, n = 1): Promise<Stranger> {
    const stranger = new Stranger(folder, n, {
      pid: 1,
      host: `web-${n}`,
      started: 'another-boot:1',
      space: '',
      since: '2026-01-01',
      lease: 500,
      ticket: 0,
      state: 'owner',
      renewed: 1,
      ...claim,
    });
    await stranger.#write('w');
    return stranger;
  }

  lives(): this {
    this.#timer = setInterval(() => {
      this.claim = { ...this.claim, renewed: this.claim.renewed + 1 };
      void this.#write();
    }, 50);
    return this;
  }

  async goes(): Promise<void> {
    clearInterval(this.#timer);
    await rm(join(this.folder, this.name), { force: true });
  }

  dies(): void {
    clearInterval(this.#timer);
  }

  #write(flag = 'r+'): Promise<void> {
    return writeFile(join(this.folder, this.name), encodeClaim(this.claim), { flag }).catch(() => undefined);
  }
}

function withoutProc(file: string): Promise<string> {
  return file.startsWith('/proc/') ? Promise.reject(new Error('none')) : nodeFileSystem.readText(file);
}

const claims = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith('owner-'));

async function took(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

describe('a claim of another machine', () => {
  it('is refused, once it is seen to live', async () => {
    const folder = await temporaryFolder();
    const owner = (await Stranger.in(folder, { lease: 5_000 })).lives();
    const ms = await took(() =>
      expect(FileDataService.open({ path: folder })).rejects.toThrow(
        explained(
          `The data folder ${folder} is in use by process 1 on web-1 since 2026-01-01; ` +
            'expected a folder that no other service has open; should it end without a word, the folder is free 5000 ms later',
        ),
      ),
    );
    owner.dies();

    expect(ms).toBeLessThan(2_500);
    expect(await claims(folder)).toEqual([owner.name]);
  });

  it('ends with its lease, not before, and that is said', async () => {
    const folder = await temporaryFolder();
    await Stranger.in(folder);
    const data: FileDataService[] = [];
    const ms = await took(async () => data.push(await FileDataService.open({ path: folder })));
    await data[0]?.put('a', 1);
    await data[0]?.close();

    expect(ms).toBeGreaterThan(490);
    expect(warnings).toEqual([
      `${folder} cannot be opened yet: process 1 on web-1 since 2026-01-01 owns it; ` +
        'waiting, at most 1000 ms, for its end or for the end of its lease of 500 ms',
      `${folder} is taken over from process 1 on web-1 since 2026-01-01, which gave no sign of life`,
    ]);
    expect(await claims(folder)).toEqual([]);
  });

  it('is waited for where it is closing', async () => {
    const folder = await temporaryFolder();
    const owner = (await Stranger.in(folder, { state: 'close', lease: 5_000 })).lives();
    setTimeout(() => void owner.goes(), 300);
    const ms = await took(async () => (await FileDataService.open({ path: folder })).close());

    expect(ms).toBeGreaterThan(290);
    expect(ms).toBeLessThan(4_000);
  });

  it('is not waited for longer than twice its lease where it is closing', async () => {
    const folder = await temporaryFolder();
    const owner = (await Stranger.in(folder, { state: 'close', lease: 200 })).lives();
    const ms = await took(() =>
      expect(FileDataService.open({ path: folder, lease: 200 })).rejects.toThrow(DataOwnedException),
    );
    await owner.goes();

    expect(ms).toBeGreaterThan(390);
  });

  it.each([
    ['came first, is let go first', 1, 'claim', false],
    ['came later, steps back, and is waited for', 99, 'claim', true],
  ] as const)('that %s', async (_, ticket, state, wins) => {
    const folder = await temporaryFolder();
    const dead = await Stranger.in(folder, { lease: 400, ticket: 2 }, 1);
    const opening = FileDataService.open({ path: folder }).then(
      (data) => data.close().then(() => true),
      (error: unknown) => error,
    );
    // Once this process has claimed the folder, with a ticket of 3.
    await vi.waitFor(async () => expect((await claims(folder)).length).toBe(2));
    const rival = (await Stranger.in(folder, { state, ticket, lease: 5_000 }, 2)).lives();
    if (wins) setTimeout(() => void rival.goes(), 600);
    const outcome = await opening;
    await Promise.all([dead.goes(), rival.goes()]);

    if (wins) expect(outcome).toBe(true);
    else
      expect((outcome as DataOwnedException).explanation).toContain(
        `The data folder ${folder} is being opened by process 1 on web-2`,
      );
  });
});

describe('a claim of this machine', () => {
  it('is no obstacle for ever where its process id is another process by now, and nothing tells when that began', async () => {
    const folder = await temporaryFolder();
    // As where there is no /proc: macOS, Windows, a hardened container.
    const blind = { ...nodeFileSystem, readText: withoutProc };
    const self = await currentProcess(blind);
    await Stranger.in(folder, { ...self, pid: process.ppid, lease: 400 });

    const owner = await FolderOwner.claim(blind, folder, 400, logger);
    await owner.release();

    expect(self.started).toBe('');
    expect(warnings.at(-1)).toContain('gave no sign of life');
  });

  it('is refused at once where its process runs and it is fresh', async () => {
    const folder = await temporaryFolder();
    const self = await currentProcess(nodeFileSystem);
    await Stranger.in(folder, { ...self, pid: process.ppid, started: '', space: '' });
    const parent = { ...self, pid: process.ppid };
    const stat = await readFile(`/proc/${process.ppid}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined) return;
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const boot = self.started.slice(0, self.started.lastIndexOf(':'));
    await rm(join(folder, (await claims(folder))[0] ?? ''));
    await Stranger.in(folder, { ...parent, started: `${boot}:${started}`, lease: 60_000, renewed: bootMs() });
    const ms = await took(() => expect(FileDataService.open({ path: folder })).rejects.toThrow(DataOwnedException));

    expect(ms).toBeLessThan(5_000);
  });

  it.skipIf(process.platform !== 'linux')(
    'of another container is waited for just as long as it has left',
    async () => {
      const folder = await temporaryFolder();
      const self = await currentProcess(nodeFileSystem);
      await Stranger.in(folder, { ...self, host: 'web-9', space: 'pid:[1]', lease: 1_000, renewed: bootMs() - 700 });
      const ms = await took(async () => (await FileDataService.open({ path: folder })).close());

      expect(ms).toBeGreaterThan(290);
      expect(ms).toBeLessThan(950);
    },
  );

  it('is given back, and waited for, by services of one process too', async () => {
    const folder = await temporaryFolder();
    const first = await FileDataService.open({ path: folder });
    const written = first.put('a', 1);
    const closed = first.close();
    const second = await FileDataService.open({ path: folder });

    expect(await second.get('a')).toBe(1);
    await Promise.all([written, closed, second.close()]);
  });

  it('is renewed for as long as the service is open, and gone afterwards', async () => {
    const folder = await temporaryFolder();
    const data = await FileDataService.open({ path: folder, lease: 100 });
    const [file = ''] = await claims(folder);
    const seen = new Set<string>();
    await vi.waitFor(async () => {
      seen.add(await readFile(join(folder, file), 'utf8'));
      expect(seen.size).toBeGreaterThan(3);
    });
    await data.close();

    expect([...seen].map((text) => text.length)).toEqual([...seen].map(() => [...seen][0]?.length));
    expect(await claims(folder)).toEqual([]);
  });

  it('of newcomers that wait for a dead owner, exactly one gets the folder', async () => {
    // Long enough that a busy machine keeps it.
    const lease = 500;
    for (let round = 0; round < 6; round++) {
      const folder = await temporaryFolder();
      await Stranger.in(folder, { lease });
      const newcomers = Array.from({ length: 4 }, async () => {
        // As if each were a process of its own.
        const claimed = FolderOwner.claim(nodeFileSystem, folder, lease, logger);
        leaveHere(folder);
        return claimed;
      });
      const outcomes = await Promise.allSettled(newcomers);
      const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      for (const winner of winners) await winner.release();

      expect(winners.length).toBe(1);
    }
  });
});

it('one that stood still since its claim does not take the folder from a service that has opened it', async () => {
  const folder = await temporaryFolder();
  let successor: FileDataService | undefined;
  let claimed = false;
  const slow = {
    ...nodeFileSystem,
    // Its claim is written; what comes next, the look at the journals, takes longer than the lease.
    replaceText: (file: string, text: string) =>
      claimed ? Promise.reject(new Error('it stands still')) : nodeFileSystem.replaceText(file, text),
    list: async (path: string) => {
      const [own] = await claims(folder);
      if (claimed || own === undefined || !(await readFile(join(folder, own), 'utf8')).includes('"state":"owner"'))
        return nodeFileSystem.list(path);
      claimed = true;
      await new Promise((resolve) => setTimeout(resolve, 300));
      leaveHere(folder);
      await rm(join(folder, own));
      successor = await FileDataService.open({ path: folder, lease: 100 });
      await successor.put('a', 1);
      return nodeFileSystem.list(path);
    },
  };

  await expect(FileDataService.open({ path: folder, lease: 100 }, slow)).rejects.toThrow(DataOwnedException);
  await successor?.put('a', 2);

  expect(await successor?.get('a')).toBe(2);
  await successor?.close();
});

describe('a service whose claim was removed', () => {
  it('goes on until somebody has the folder, and then neither reads nor writes', async () => {
    const folder = await temporaryFolder();
    const data = await FileDataService.open({ path: folder, lease: 100 });
    await data.put('a', 1);
    const [file = ''] = await claims(folder);
    await rm(join(folder, file));
    expect(await data.get('a')).toBe(1);
    leaveHere(folder);
    const successor = await FileDataService.open({ path: folder, lease: 100 });
    await successor.put('a', 2);
    // No write has told it so far.
    await new Promise((resolve) => setTimeout(resolve, 150));

    await expect(data.get('a')).rejects.toThrow(explained(/was taken over by process \d+/));
    await expect(data.entry('a')).rejects.toThrow(DataOwnedException);
    await expect(data.entries().next()).rejects.toThrow(DataOwnedException);
    await expect(data.lastWrite('a')).rejects.toThrow(DataOwnedException);
    await expect(data.put('a', 3)).rejects.toThrow(DataOwnedException);
    await expect(data.ping()).rejects.toThrow(DataOwnedException);
    expect(await successor.get('a')).toBe(2);
    await successor.close();
    await data.close();
  });
});

it.each([0, 19, -1, NaN, Infinity, '100', null])('lease: %s is an error', async (lease) => {
  await expect(FileDataService.open({ path: './nowhere', lease: lease as never })).rejects.toThrow(
    explained("option 'lease' is"),
  );
});

it('a folder on another machine is warned of', async () => {
  const path = await temporaryFolder();
  const data = await FileDataService.open({ path }, { ...nodeFileSystem, networkName: async () => 'NFS' });
  await data.close();

  // A service of a test before may have something to say of its own folder.
  expect(warnings).toContainEqual(expect.stringContaining(`${path} lies on NFS`));
});
