import { setImmediate as nextTurn } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataCallOptions, DataEntriesOptions, DataEntry, DataPutOptions } from '../data-options.js';
import { checkKey, checkPrefix } from '../key.js';
import { OperationGate } from '../operation-gate.js';
import type { DataApplyOptions, DataWrite } from '../replicable-data.service.js';
import { ReplicableDataService } from '../replicable-data.service.js';
import { parseValue, serializeValue } from '../value.js';
import { VersionClock } from '../version-clock.js';
import { checkIfVersion } from '../version.js';
import type { Change } from './change.js';
import { applying, deleting, forgetting, putting } from './change.js';
import { CommitQueue } from './commit-queue.js';
import { EntryStore } from './entry-store.js';
import type { FileDataOptions } from './file-options.js';
import { resolveFileOptions } from './file-options.js';
import type { FileSystem } from './file-system.js';
import { createFolder, nodeFileSystem } from './file-system.js';
import { FolderOwner } from './folder-owner.js';
import { Journal } from './journal.js';

/** How many entries are handed out before timers and I/O get their turn. */
const ENTRIES_PER_TURN = 256;

/**
 * Keeps the data in one folder, as a journal of all changes; needs no server and no package. Writes that wait at the
 * same time share one sync of the disk. All values are held in memory, so it is for data that fits there. The folder
 * belongs to one service at a time; the file of an owner that died is recognised and taken over.
 *
 * @publicApi
 */
export class FileDataService extends ReplicableDataService {
  readonly #store: EntryStore;
  readonly #journal: Journal;
  readonly #commits: CommitQueue;
  readonly #owner: FolderOwner;
  readonly #gate: OperationGate;
  readonly #versions: VersionClock;

  private constructor(
    store: EntryStore,
    journal: Journal,
    commits: CommitQueue,
    owner: FolderOwner,
    versions: VersionClock,
  ) {
    super();
    this.#store = store;
    this.#journal = journal;
    this.#commits = commits;
    this.#owner = owner;
    this.#versions = versions;
    this.#gate = new OperationGate(`The file data service on ${journal.file}`);
  }

  /**
   * Opens a folder, created where it is missing, and reads its data.
   *
   * @param fileSystem for tests; Node's own by default.
   * @throws ResilienceConfigurationError for a wrong option.
   * @throws DataOwnedException when another service, here or in another process, has the folder open.
   * @throws DataDamagedException when the journal is not whole, except for the last, unacknowledged commit.
   */
  static async open(options: FileDataOptions, fileSystem: FileSystem = nodeFileSystem): Promise<FileDataService> {
    const { path } = resolveFileOptions(options);
    const logger = new Logger(FileDataService.name);
    await createFolder(fileSystem, path);
    const folder = await fileSystem.realpath(path);
    const owner = await FolderOwner.claim(fileSystem, folder);
    try {
      const store = new EntryStore();
      const versions = new VersionClock();
      const { journal, sequence, tornBytes } = await Journal.open(fileSystem, folder, (record) => {
        store.apply(record);
        if (record.entry !== undefined) versions.observe(record.entry.version);
      });
      store.advanceTo(sequence);
      if (tornBytes > 0) logger.warn(`${journal.file}: cut off ${tornBytes} bytes of a commit that was never finished`);
      const commits = new CommitQueue(store, journal, logger);
      await commits.compact();
      return new FileDataService(store, journal, commits, owner, versions);
    } catch (error) {
      await owner.release();
      throw error;
    }
  }

  override async get<T>(key: string, options: DataCallOptions = {}): Promise<T | undefined> {
    return (await this.entry<T>(key, options))?.value;
  }

  override async entry<T>(key: string, { signal }: DataCallOptions = {}): Promise<DataEntry<T> | undefined> {
    checkKey(key);
    return this.#gate.run(signal, async () => {
      const { text, version = '' } = this.#store.get(key) ?? {};
      return text === undefined ? undefined : { value: parseValue<T>(text), version };
    });
  }

  override async put<T>(key: string, value: T, { ifVersion, signal }: DataPutOptions = {}): Promise<void> {
    checkKey(key);
    checkIfVersion(key, ifVersion);
    const text = serializeValue(key, value);
    await this.#submit(putting(key, text, ifVersion, this.#versions), signal);
  }

  override async delete(key: string, { signal }: DataCallOptions = {}): Promise<boolean> {
    checkKey(key);
    return this.#submit<boolean>(deleting(key), signal);
  }

  override async apply(write: DataWrite, { ifVersion, signal }: DataApplyOptions = {}): Promise<string> {
    checkKey(write.key);
    checkIfVersion(write.key, ifVersion);
    this.#versions.observe(write.version);
    return this.#submit<string>(applying(write, ifVersion), signal);
  }

  override async lastWrite(key: string, { signal }: DataCallOptions = {}): Promise<DataWrite | undefined> {
    checkKey(key);
    return this.#gate.run(signal, async () => {
      const stored = this.#store.get(key);
      return stored && { key, ...stored };
    });
  }

  override async forget(key: string, version: string, { signal }: DataCallOptions = {}): Promise<boolean> {
    checkKey(key);
    return this.#submit<boolean>(forgetting(key, version), signal);
  }

  override async *entries<T>({ prefix = '', signal }: DataEntriesOptions = {}): AsyncGenerator<
    [string, T],
    void,
    undefined
  > {
    for await (const { key, text } of this.writes({ prefix, signal })) {
      if (text !== undefined) yield [key, parseValue<T>(text)];
    }
  }

  override async *writes({ prefix = '', signal }: DataEntriesOptions = {}): AsyncGenerator<DataWrite, void, undefined> {
    checkPrefix(prefix);
    this.#gate.assertOpen();
    signal?.throwIfAborted();
    let count = 0;
    for (const key of this.#store.keys(prefix)) {
      const stored = this.#store.get(key);
      if (stored === undefined) continue;
      yield { key, ...stored };
      if (++count % ENTRIES_PER_TURN === 0) await nextTurn();
      this.#gate.assertOpen();
      signal?.throwIfAborted();
    }
  }

  #submit<T>(change: Change, signal: AbortSignal | undefined): Promise<T> {
    return this.#gate.run(signal, () => this.#commits.submit(change, signal)) as Promise<T>;
  }

  override async ping({ signal }: DataCallOptions = {}): Promise<void> {
    return this.#gate.run(signal, () => this.#journal.ping());
  }

  override close(): Promise<void> {
    return this.#gate.close(async () => {
      await this.#commits.idle();
      try {
        await this.#journal.close();
      } finally {
        await this.#owner.release();
      }
    });
  }
}
