import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import { textOf } from '../port/error-text.js';
import { outsideCalls } from '../port/outside-calls.js';
import type { CommitQueue } from './commit-queue.js';
import type { DataFile } from './data-file.js';
import type { EntryStore, FrozenEntries, StoredEntry } from './entry-store.js';
import type { Fence } from './fence.js';
import { journalPath, listFiles, snapshotPath } from './file-names.js';
import type { FileBackupOptions } from './file-report.js';
import type { FileSystem } from './file-system.js';
import { removeFile } from './file-system.js';
import type { Journal } from './journal.js';
import { copyLiveRecords } from './live-records.js';
import { SnapshotWriter } from './snapshot-writer.js';

/** Below this size, in bytes, files are not worth a rewrite. */
const SMALL_FILES = 1024 * 1024;

/** Each opening leaves a journal; more than this many become one snapshot. */
const MANY_FILES = 32;

/** How many entries are pointed at their new place before timers and I/O get their turn. */
const ENTRIES_PER_TURN = 20_000;

/** What the store was at one moment, and the files that hold it, to which nobody writes any more. */
interface Frozen {
  readonly entries: FrozenEntries;
  readonly files: readonly DataFile[];
  readonly sequence: number;
  readonly version: string;
  /** Of the journal that holds all that came after. */
  readonly number: number;
}

/** Makes snapshots and backups while changes go on, one at a time. */
export class Compaction {
  #last: Promise<unknown> = Promise.resolve();
  #isPlanned = false;
  /** The size of the files, in bytes, below which nothing is tried; above 0 only after a failure. */
  #notBefore = 0;

  constructor(
    private readonly fileSystem: FileSystem,
    private readonly folder: string,
    private readonly store: EntryStore,
    private readonly journal: Journal,
    private readonly fence: Fence,
    private readonly logger: Logger,
  ) {}

  /** Begins a compaction in the background where it is worth it. A failure costs no data, only room. */
  consider(queue: CommitQueue): void {
    if (this.#isPlanned || !this.#isWorthIt()) return;
    this.#isPlanned = true;
    this.#inTurn(() => this.compact(queue))
      .catch((error: unknown) => {
        if (!this.fence.isLost) this.logger.warn(`${this.folder} could not be compacted: ${textOf(error)}`);
        // Each try begins a journal, so the next one waits until there is something to gain.
        this.#notBefore = this.journal.bytes + SMALL_FILES;
      })
      .finally(() => (this.#isPlanned = false));
  }

  /** Resolves once nothing is going on. */
  async idle(): Promise<void> {
    for (let last: unknown; last !== this.#last;) {
      last = this.#last;
      await this.#last;
    }
  }

  /** Puts one snapshot in the place of all files but the one that is written to. */
  async compact(queue: CommitQueue): Promise<void> {
    const moved: { entry: StoredEntry; offset: number }[] = [];
    const frozen = await this.#freeze(queue);
    try {
      const path = snapshotPath(this.folder, frozen.number);
      const snapshot = await this.#write(path, frozen, (entry, offset) => moved.push({ entry, offset }), {});
      for (const [index, { entry, offset }] of moved.entries()) {
        entry.file = snapshot;
        entry.offset = offset;
        if (index % ENTRIES_PER_TURN === 0) await nextTurn();
      }
      await this.journal.replaceOlder(frozen.files, snapshot);
    } finally {
      frozen.entries.release();
    }
    await this.fence.check();
    await this.removeBefore(frozen.number);
    this.#notBefore = 0;
  }

  /** Writes all that the store holds now to another file. */
  backup(queue: CommitQueue, to: string, options: FileBackupOptions): Promise<void> {
    return this.#inTurn(async () => {
      options.signal?.throwIfAborted();
      const frozen = await this.#freeze(queue);
      try {
        const file = await this.#write(to, frozen, undefined, options);
        await file.release();
      } finally {
        frozen.entries.release();
      }
    });
  }

  /**
   * Removes the files for which a snapshot stands, and what interrupted ones have left. Journals go lowest first, and
   * no further where one stays: so the {@link Fence} of a former owner sees that its own has gone.
   */
  async removeBefore(number: number): Promise<void> {
    const { journals, snapshots, temporary } = await listFiles(this.fileSystem, this.folder);
    for (const journal of journals) {
      if (journal < number) await removeFile(this.fileSystem, journalPath(this.folder, journal));
    }
    for (const snapshot of snapshots) {
      if (snapshot < number) await removeFile(this.fileSystem, snapshotPath(this.folder, snapshot));
    }
    for (const name of temporary) await removeFile(this.fileSystem, `${this.folder}/${name}`);
  }

  #isWorthIt(): boolean {
    const { bytes, older, hasDoubtful } = this.journal;
    if (bytes < this.#notBefore) return false;
    if (hasDoubtful || older.length >= MANY_FILES) return true;
    return bytes >= SMALL_FILES && bytes >= 2 * this.store.bytes;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = outsideCalls(() => result.catch(() => undefined));
    return result;
  }

  #freeze(queue: CommitQueue): Promise<Frozen> {
    return queue.between(async () => {
      const { journal, store } = this;
      await journal.rotate(store.version);
      const files = [...journal.older];
      const { sequence, number } = journal;
      return { entries: store.freeze(files), files, sequence, version: store.version, number };
    });
  }

  async #write(
    path: string,
    { files, entries, ...head }: Frozen,
    onCopied: ((entry: StoredEntry, offset: number) => void) | undefined,
    { signal, onProgress }: FileBackupOptions,
  ): Promise<DataFile> {
    const writer = await SnapshotWriter.create(this.fileSystem, path);
    try {
      const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
      await copyLiveRecords(files, entries, writer, {
        signal,
        onCopied,
        onPiece: (doneBytes) => onProgress?.({ doneBytes, totalBytes }),
      });
      await this.fence.check();
      return await writer.finish(head);
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }
}
