import { resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataCallOptions, DataEntriesOptions, DataEntry, DataPutOptions } from '../port/data-options.js';
import { checkKey, checkPrefix } from '../port/key.js';
import { OperationGate } from '../port/operation-gate.js';
import { outsideCalls } from '../port/outside-calls.js';
import { ReplicableDataService, type DataApplyOptions, type DataWrite } from '../port/replicable-data.service.js';
import { parseValue, serializeValue } from '../port/value.js';
import { checkIfVersion } from '../port/version.js';
import { restoreBackup } from './backup-file.js';
import type { Change } from './change.js';
import { checkWrite } from './check-write.js';
import { readText } from './data-file.js';
import { textOf } from '../port/error-text.js';
import type { StoredEntry } from './entry-store.js';
import type { FileDataOptions, ResolvedFileOptions } from './file-options.js';
import { resolveFileOptions } from './file-options.js';
import { fileProblem, tellingFileProblems } from '../port/file-problem.js';
import type { FileBackupOptions, FileDataReport, FileProgressOptions } from './file-report.js';
import { createFolder, type FileSystem } from './file-system.js';
import { warnOfDamage, warnOfNetwork } from './folder-warnings.js';
import { FolderOwner } from './folder-owner.js';
import { loopFileSystem } from './loop-file-system.js';
import { nodeFileSystem } from './node-file-system.js';
import type { OpenedFolder } from './opened-folder.js';
import { openFolder } from './opened-folder.js';
import { progressListener } from './progress-listener.js';
import { verifyPath } from './verify-folder.js';

/** How many entries are handed out before timers and I/O get their turn. */
const ENTRIES_PER_TURN = 256;

/**
 * Keeps the data in one folder, as a journal of all changes and snapshots of it; needs no server and no package. Writes
 * that wait at the same time share one sync of the disk. All keys are held in memory, and of the values those used last.
 * The folder belongs to one service at a time; that of an owner which died is recognised and taken over.
 *
 * @publicApi
 */
export class FileDataService extends ReplicableDataService {
  /** What was found when it was opened. */
  readonly report: FileDataReport;
  readonly #parts: OpenedFolder;
  readonly #owner: FolderOwner;
  readonly #gate: OperationGate;

  private constructor(folder: string, parts: OpenedFolder, owner: FolderOwner, logger: Logger) {
    super();
    this.report = parts.report;
    this.#parts = parts;
    this.#owner = owner;
    this.#gate = new OperationGate(`The file data service on ${folder}`, (error) =>
      fileProblem(`The data folder ${folder} cannot be used`, error),
    );
    owner.onGone(() => void parts.fence.check().catch((error: unknown) => logger.error(textOf(error))));
  }

  /**
   * Opens a folder, created where it is missing, and reads its data.
   *
   * @param files for tests; Node's own by default.
   * @throws ResilienceConfigurationError for a wrong option.
   * @throws DataOwnedException when another service, here or in another process, has the folder open.
   * @throws DataAccessException for a path that is no folder, or that this process may not use.
   * @throws DataDamagedException when something is not whole, except for a last commit that was never acknowledged.
   */
  static async open(options: FileDataOptions, files?: FileSystem): Promise<FileDataService> {
    const resolved = resolveFileOptions(options);
    return outsideCalls(() => FileDataService.#open(resolved, files));
  }

  static async #open(resolved: ResolvedFileOptions, files: FileSystem | undefined): Promise<FileDataService> {
    const fileSystem = files ?? (resolved.syncOn === 'loop' ? loopFileSystem() : nodeFileSystem);
    const logger = new Logger(FileDataService.name);
    let owner: FolderOwner | undefined;
    try {
      await createFolder(fileSystem, resolved.path);
      const folder = await fileSystem.realPath(resolved.path);
      warnOfNetwork(folder, await fileSystem.networkName(folder).catch(() => undefined), logger);
      owner = await FolderOwner.claim(fileSystem, folder, resolved.lease, logger);
      const parts = await openFolder(fileSystem, folder, owner, resolved, logger);
      warnOfDamage(parts.report, logger);
      return new FileDataService(folder, parts, owner, logger);
    } catch (error) {
      await owner?.release().catch(() => undefined);
      throw fileProblem(`The data folder ${resolved.path} cannot be opened`, error);
    }
  }

  /**
   * Reads a data folder, whether or not a service has it open, or a backup, and changes nothing.
   *
   * @returns what was found, damage included.
   */
  static async verify(path: string, options: FileProgressOptions = {}): Promise<FileDataReport> {
    const onProgress = progressListener(options.onProgress);
    const at = resolve(path);
    return tellingFileProblems(`${at} cannot be verified`, () => verifyPath(nodeFileSystem, at, { onProgress }));
  }

  /**
   * Makes a data folder of a backup, which is verified before.
   *
   * @param from a file that {@link backup} has written.
   * @param to a folder that is empty or not there.
   * @throws DataUnavailableException for a damaged backup, or a folder that is not empty.
   */
  static async restore(from: string, to: string, options: FileProgressOptions = {}): Promise<void> {
    const onProgress = progressListener(options.onProgress);
    const [backup, folder] = [resolve(from), resolve(to)];
    await tellingFileProblems(`The backup ${backup} cannot be restored to ${folder}`, () =>
      restoreBackup(nodeFileSystem, backup, folder, { onProgress }),
    );
  }

  /**
   * Writes all that is there at one moment to one file, while changes go on. It appears under its name when it is complete
   * and on the disk.
   *
   * @param to the file; one of that name is replaced.
   */
  async backup(to: string, options: FileBackupOptions = {}): Promise<void> {
    const { compaction, commits } = this.#parts;
    const guarded = { ...options, onProgress: progressListener(options.onProgress) };
    const file = resolve(to);
    await this.#gate.run(undefined, () =>
      tellingFileProblems(`The backup ${file} cannot be written`, () => compaction.backup(commits, file, guarded)),
    );
  }

  override async get<T>(key: string, options: DataCallOptions = {}): Promise<T | undefined> {
    return (await this.entry<T>(key, options))?.value;
  }

  override async entry<T>(key: string, { signal }: DataCallOptions = {}): Promise<DataEntry<T> | undefined> {
    checkKey(key);
    return this.#gate.run(signal, async () => {
      const held = this.#assertHeld();
      if (held !== undefined) await held;
      const entry = this.#parts.store.get(key);
      if (entry === undefined || entry.isTombstone) return undefined;
      return { value: parseValue<T>(await this.#textOf(key, entry)), version: entry.version };
    });
  }

  override async put<T>(key: string, value: T, { ifVersion, signal }: DataPutOptions = {}): Promise<void> {
    checkKey(key);
    checkIfVersion(key, ifVersion);
    const text = serializeValue(key, value);
    await this.#submit({ type: 'put', key, text, ifVersion }, signal);
  }

  override async delete(key: string, { signal }: DataCallOptions = {}): Promise<boolean> {
    checkKey(key);
    return (await this.#submit({ type: 'delete', key }, signal)) !== undefined;
  }

  override async apply(write: DataWrite, { ifVersion, signal }: DataApplyOptions = {}): Promise<string> {
    checkWrite(write);
    checkIfVersion(write.key, ifVersion);
    return (await this.#submit({ type: 'apply', ...write, ifVersion }, signal)) ?? write.version;
  }

  override async lastWrite(key: string, { signal }: DataCallOptions = {}): Promise<DataWrite | undefined> {
    checkKey(key);
    return this.#gate.run(signal, () => this.#lastWrite(key));
  }

  override async forget(key: string, version: string, { signal }: DataCallOptions = {}): Promise<boolean> {
    checkKey(key);
    return (await this.#submit({ type: 'forget', key, version }, signal)) !== undefined;
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
    const keys = this.#gate.run(signal, async () => {
      await this.#assertHeld();
      return this.#parts.store.keysFrom(prefix);
    });
    for (const key of await keys) {
      // What is read once must not push out of the cache what is in use.
      const write = await this.#gate.run(signal, () => this.#lastWrite(key, false));
      if (write === undefined) continue;
      yield write;
      if (++count % ENTRIES_PER_TURN === 0) await nextTurn();
      this.#gate.assertOpen();
      signal?.throwIfAborted();
    }
  }

  override async ping({ signal }: DataCallOptions = {}): Promise<void> {
    return this.#gate.run(signal, () => this.#parts.fence.check());
  }

  override close(): Promise<void> {
    this.#owner.closing();
    return this.#gate.close(async () => {
      const { commits, compaction, journal } = this.#parts;
      await commits.idle();
      await compaction.idle();
      try {
        await journal.close();
      } finally {
        await this.#owner.release();
      }
    });
  }

  /** Nobody reads what may have been written elsewhere since. @throws DataOwnedException */
  #assertHeld(): Promise<void> | undefined {
    return this.#owner.isLate || this.#parts.fence.isLost ? this.#parts.fence.check() : undefined;
  }

  async #lastWrite(key: string, mayCache = true): Promise<DataWrite | undefined> {
    const held = this.#assertHeld();
    if (held !== undefined) await held;
    const entry = this.#parts.store.get(key);
    if (entry === undefined) return undefined;
    const { version, isTombstone } = entry;
    return { key, text: isTombstone ? undefined : await this.#textOf(key, entry, mayCache), version };
  }

  async #textOf(key: string, entry: StoredEntry, mayCache = true): Promise<string> {
    const { store } = this.#parts;
    const cached = mayCache ? store.cached(key) : store.peek(key);
    if (cached !== undefined) return cached;
    const text = await readText(entry, key, entry.version);
    if (mayCache) store.cache(key, entry, text);
    return text;
  }

  #submit(change: Change, signal: AbortSignal | undefined): Promise<string | undefined> {
    return this.#gate.run(signal, () => this.#parts.commits.submit(change, signal));
  }
}
