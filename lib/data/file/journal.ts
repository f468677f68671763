import { DataFile } from './data-file.js';
import { encodeHead, HEAD_BYTES } from './file-head.js';
import { journalPath } from './file-names.js';
import type { Fence } from './fence.js';
import type { FileSystem, OpenFile } from './file-system.js';
import { isTaken, writeFully } from './file-system.js';

/**
 * How many bytes of zeros are written ahead of the records. While a commit stays within them the file's length does not
 * change, and its sync need not wait for the file system's own journal.
 */
const PREPARED_BYTES = 256 * 1024;
const ZEROS = Buffer.alloc(PREPARED_BYTES);

/** Up to this many bytes a write into the system's memory takes less time than the way to another thread and back. */
const SHORT_WRITE_BYTES = 128 * 1024;

/** Where a journal begins. */
export interface JournalStart {
  /** The last sequence number before. */
  readonly sequence: number;
  /** The number of the last journal with records; 0: none. */
  readonly previous: number;
  /** The highest version that was given out. */
  readonly version: string;
}

/** A file that was created for a journal, and is still empty. */
interface EmptyJournal {
  readonly number: number;
  readonly handle: OpenFile;
}

/** The files to which changes are appended, one after the other, and those that came before. One caller at a time. */
export class Journal {
  readonly #older: DataFile[];
  #file: DataFile;
  #number: number;
  /** Of the last journal that was created, which may be a spare one. */
  #created: number;
  #start: JournalStart;
  #sequence: number;
  /** Up to where the file was filled with zeros. */
  #prepared = HEAD_BYTES;
  /** Whether what the disk holds of this file is uncertain, so that nothing more may go there. */
  #suspect = false;
  /** One that was created, but whose head could not be written. */
  #spare: EmptyJournal | undefined;
  /** Whether a file before this one could not be synced. */
  #hasDoubtful = false;

  private constructor(
    private readonly fileSystem: FileSystem,
    private readonly folder: string,
    private readonly fence: Fence,
    { number, handle }: EmptyJournal,
    start: JournalStart,
    older: readonly DataFile[],
  ) {
    this.#older = [...older];
    this.#number = number;
    this.#created = number;
    this.#file = newFile(folder, number, handle);
    this.#start = start;
    this.#sequence = start.sequence;
  }

  /**
   * Begins in a file that was created before.
   *
   * @param older the files that hold what came before.
   */
  static async begin(
    fileSystem: FileSystem,
    folder: string,
    fence: Fence,
    empty: EmptyJournal,
    start: JournalStart,
    older: readonly DataFile[],
  ): Promise<Journal> {
    const journal = new Journal(fileSystem, folder, fence, empty, start, older);
    await journal.#writeHead(empty, start);
    return journal;
  }

  /** The file to which the next change goes, unless it must be another one. */
  get file(): DataFile {
    return this.#file;
  }

  get number(): number {
    return this.#number;
  }

  /** The files that hold what came before {@link file}, oldest first. */
  get older(): readonly DataFile[] {
    return this.#older;
  }

  /** The length of all its files, in bytes. */
  get bytes(): number {
    return this.#older.reduce((sum, { size }) => sum + size, this.#file.size);
  }

  /** Whether a file could not be synced, so that what it holds had better move to another one. */
  get hasDoubtful(): boolean {
    return this.#hasDoubtful;
  }

  /** The last sequence number that is durable. */
  get sequence(): number {
    return this.#sequence;
  }

  get isSuspect(): boolean {
    return this.#suspect;
  }

  /**
   * Appends records; resolved, they are durable, and no other service owned the folder before they were. A failed
   * append leaves nothing behind that a later one would follow.
   *
   * @param count how many there are.
   * @returns where they begin in {@link file}.
   * @throws DataOwnedException where another service has taken the folder over.
   */
  async append(bytes: Buffer, length: number, count: number): Promise<number> {
    this.fence.assertHeld();
    const at = this.#file.size;
    try {
      await this.#prepare(at + length);
      const { handle } = this.#file;
      const short = length <= SHORT_WRITE_BYTES && handle.writeNow(bytes, 0, length, at) === length;
      if (!short) await writeFully(handle, bytes, length, at);
    } catch (error) {
      await this.#cutBack();
      throw error;
    }
    try {
      await this.#file.handle.sync('commit');
      await this.fence.check();
    } catch (error) {
      // The system may have dropped the pages and would report success the next time, so this file is not asked again.
      this.#suspect = true;
      throw error;
    }
    this.#file.size = at + length;
    this.#sequence += count;
    return at;
  }

  /**
   * Goes on in a new file.
   *
   * @param version the highest that was given out.
   */
  async rotate(version: string): Promise<void> {
    this.fence.assertHeld();
    const previous = this.#sequence > this.#start.sequence ? this.#number : this.#start.previous;
    const start = { sequence: this.#sequence, previous, version };
    const empty = (this.#spare ??= await this.#create());
    await this.#writeHead(empty, start);
    await this.#cutOffZeros();
    this.#hasDoubtful ||= this.#suspect;
    this.#spare = undefined;
    this.#older.push(this.#file);
    this.#file = newFile(this.folder, empty.number, empty.handle);
    this.#number = empty.number;
    this.#start = start;
    this.#prepared = HEAD_BYTES;
    this.#suspect = false;
  }

  /** Lets a snapshot stand for some of the {@link older} files; closes those. */
  async replaceOlder(files: readonly DataFile[], snapshot: DataFile): Promise<void> {
    this.#older.splice(0, files.length, snapshot);
    this.#hasDoubtful = false;
    for (const file of files) await file.release();
  }

  async close(): Promise<void> {
    await this.#cutOffZeros();
    await this.#spare?.handle.close();
    for (const file of [...this.#older, this.#file]) await file.release();
  }

  async #create(): Promise<EmptyJournal> {
    const number = this.#created + 1;
    try {
      const handle = await this.fileSystem.open(journalPath(this.folder, number), 'create');
      this.#created = number;
      this.fence.advanceTo(number);
      return { number, handle };
    } catch (error) {
      throw isTaken(error) ? await this.fence.lose() : error;
    }
  }

  /** The first commit syncs the head, before which nothing depends on it. */
  async #writeHead({ number, handle }: EmptyJournal, start: JournalStart): Promise<void> {
    await writeFully(handle, encodeHead({ ...start, type: 'journal', number, count: 0 }), HEAD_BYTES, 0);
    try {
      await this.fileSystem.syncFolder(this.folder, 'journal-name');
    } catch (error) {
      // A name that could not be synced is not asked for again either.
      this.#spare = undefined;
      await handle.close();
      throw error;
    }
  }

  async #prepare(end: number): Promise<void> {
    if (end <= this.#prepared) return;
    const from = Math.max(end, this.#prepared);
    try {
      await writeFully(this.#file.handle, ZEROS, PREPARED_BYTES, from);
      this.#prepared = from + PREPARED_BYTES;
    } catch {
      // There may still be room for the records themselves.
      this.#prepared = Math.max(end, this.#prepared);
    }
  }

  async #cutBack(): Promise<void> {
    try {
      await this.fence.check();
      await this.#file.handle.truncate(this.#file.size);
      this.#prepared = this.#file.size;
    } catch {
      this.#suspect = true;
    }
  }

  /** Whoever owns the folder now may have read records that this service has not acknowledged. */
  async #cutOffZeros(): Promise<void> {
    if (this.#suspect || this.fence.isLost) return;
    await this.#file.handle.truncate(this.#file.size).catch(() => undefined);
  }
}

function newFile(folder: string, number: number, handle: OpenFile): DataFile {
  const file = new DataFile(journalPath(folder, number), handle);
  file.size = HEAD_BYTES;
  return file;
}
