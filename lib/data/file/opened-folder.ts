import type { Logger } from '@nestjs/common';
import { DataOwnedException } from '../port/errors.js';
import { VersionClock } from '../port/version-clock.js';
import { CommitQueue } from './commit-queue.js';
import { Compaction } from './compaction.js';
import { EntryStore } from './entry-store.js';
import { Fence } from './fence.js';
import { journalPath, listFiles } from './file-names.js';
import type { ResolvedFileOptions } from './file-options.js';
import type { FileDataReport } from './file-report.js';
import type { FileSystem, OpenFile } from './file-system.js';
import { isTaken } from './file-system.js';
import type { FolderOwner } from './folder-owner.js';
import { Journal } from './journal.js';
import { recordInto } from './record-into.js';
import { recover } from './recovery.js';
import type { Recovered } from './recovery.js';

/** A folder of which this service is the owner, and whose data has been read. */
export interface OpenedFolder {
  readonly store: EntryStore;
  readonly journal: Journal;
  readonly commits: CommitQueue;
  readonly compaction: Compaction;
  readonly fence: Fence;
  readonly report: FileDataReport;
}

/**
 * Takes over a folder: creates the journal of the next number, from which on no former owner acknowledges anything, and
 * only then reads what there is.
 *
 * @param folder its real path.
 * @throws DataDamagedException unless the options say to salvage.
 */
export async function openFolder(
  fileSystem: FileSystem,
  folder: string,
  owner: FolderOwner,
  options: ResolvedFileOptions,
  logger: Logger,
): Promise<OpenedFolder> {
  const { journals, snapshots } = await listFiles(fileSystem, folder);
  const number = Math.max(journals.at(-1) ?? 0, snapshots.at(-1) ?? 0) + 1;
  // Whoever stood still since its claim had better not take the folder from one who has opened it meanwhile.
  if (owner.isLate) {
    throw new DataOwnedException(
      `The data folder ${folder} was claimed, and then nothing was done for longer than the lease, so ` +
        `${await owner.describeOther()} may have it; expected a lease that is longer than a stand-still`,
    );
  }
  const handle = await createJournal(fileSystem, folder, number, owner);
  let recovered: Recovered | undefined;
  try {
    const fence = new Fence(fileSystem, folder, number, () => owner.describeOther());
    let store = new EntryStore(options.cacheBytes);
    recovered = await recover(
      fileSystem,
      folder,
      {
        before: number,
        tolerant: options.salvage,
        onRecord: (view, file, offset) => recordInto(store, view, file, offset),
      },
      () => (store = new EntryStore(options.cacheBytes)),
    );
    // A process that was killed may have left what was read unsynced.
    for (const file of recovered.files) await file.handle.sync('recovered-journal');
    store.loaded();
    store.advance(recovered.version);
    const clock = new VersionClock();
    clock.observe(store.version);
    const { sequence, previous, files } = recovered;
    const start = { sequence, previous, version: store.version };
    const journal = await Journal.begin(fileSystem, folder, fence, { number, handle }, start, files);
    const compaction = new Compaction(fileSystem, folder, store, journal, fence, logger);
    const commits: CommitQueue = new CommitQueue(store, clock, journal, () => compaction.consider(commits));
    await compaction.removeBefore(snapshots.at(-1) ?? 0);
    // What was damaged must not be met again.
    if (recovered.damage.length > 0) await compaction.compact(commits);
    else compaction.consider(commits);
    return { store, journal, commits, compaction, fence, report: reportOf(recovered, store) };
  } catch (error) {
    for (const file of recovered?.files ?? []) await file.release();
    await handle.close().catch(() => undefined);
    // The journal stays, although it is empty: a former owner may look for just this number to learn that it lost the folder.
    throw error;
  }
}

export function reportOf({ records, damage, tornTail, files }: Recovered, store: EntryStore): FileDataReport {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return { records, keys: store.keys, tombstones: store.tombstones, bytes, damage, tornTail };
}

async function createJournal(
  fileSystem: FileSystem,
  folder: string,
  number: number,
  owner: FolderOwner,
): Promise<OpenFile> {
  try {
    return await fileSystem.open(journalPath(folder, number), 'create');
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new DataOwnedException(
      `The data folder ${folder} is being opened by ${await owner.describeOther()}; ` +
        'expected a folder that no other service has open',
    );
  }
}
