import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileSystem } from './file-system.js';
import { isMissing, removeFile, syncFolder } from './file-system.js';
import { JOURNAL_HEADER } from './journal-frame.js';
import { loadJournal } from './journal-loader.js';
import type { JournalRecord } from './journal-record.js';

const JOURNAL_FILE = 'journal.log';

/** What {@link Journal.open} found. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly sequence: number;
  /** How many bytes of an unfinished commit were cut off. */
  readonly tornBytes: number;
}

/**
 * The file that holds every change. Frames are appended and synced; {@link rewrite} replaces the file by one without
 * the changes that later ones have undone. One caller at a time.
 */
export class Journal {
  /** Whether what the disk holds is uncertain, so that nothing may be acknowledged before a {@link rewrite}. */
  #suspect = false;
  #size: number;
  #handle: FileHandle;

  private constructor(
    private readonly fileSystem: FileSystem,
    private readonly folder: string,
    handle: FileHandle,
    size: number,
  ) {
    this.#handle = handle;
    this.#size = size;
  }

  /** Opens the journal of a folder, or creates an empty one, and hands over its records. */
  static async open(
    fileSystem: FileSystem,
    folder: string,
    onRecord: (record: JournalRecord) => void,
  ): Promise<OpenedJournal> {
    const file = join(folder, JOURNAL_FILE);
    await removeFile(fileSystem, temporary(file));
    const handle = await openOrCreate(fileSystem, folder, file);
    try {
      const { size, sequence } = await loadJournal(handle, file, onRecord);
      const tornBytes = (await handle.stat()).size - size;
      if (tornBytes > 0) await handle.truncate(size);
      // A process that was killed may have left what was read, and even the file's name, unsynced.
      await handle.sync();
      await syncFolder(fileSystem, folder);
      return { journal: new Journal(fileSystem, folder, handle, size), sequence, tornBytes };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get file(): string {
    return join(this.folder, JOURNAL_FILE);
  }

  /** Its length in bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * Appends a frame; once resolved, it is durable. A failed append leaves nothing behind that a later one would follow.
   *
   * @param everything the frames of all that was acknowledged, for the case that the file must be written anew first.
   */
  async append(frame: Buffer, everything: () => Iterable<Buffer>): Promise<void> {
    if (this.#suspect) await this.rewrite(everything());
    try {
      await writeFully(this.#handle, frame, this.#size);
    } catch (error) {
      await this.#cutBack();
      throw error;
    }
    try {
      await this.#handle.datasync();
    } catch (error) {
      // The system may have dropped the pages and would report success the next time, so this file is not asked again.
      this.#suspect = true;
      throw error;
    }
    this.#size += frame.length;
  }

  /** Replaces the file by one that holds just these frames. Where that fails, the old one stays in use. */
  async rewrite(frames: Iterable<Buffer>): Promise<void> {
    const handle = await writeFrames(this.fileSystem, this.file, frames);
    const old = this.#handle;
    try {
      const { size } = await handle.stat();
      this.#suspect = true;
      await replace(this.fileSystem, this.folder, this.file);
      this.#handle = handle;
      this.#size = size;
      this.#suspect = false;
    } catch (error) {
      await handle.close();
      throw error;
    }
    await old.close();
  }

  /** Rejects where appends would go to a file that is no longer in the folder. */
  async ping(): Promise<void> {
    const { nlink } = await this.#handle.stat();
    if (nlink === 0) throw new Error(`${this.file} was deleted`);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #cutBack(): Promise<void> {
    try {
      await this.#handle.truncate(this.#size);
    } catch {
      this.#suspect = true;
    }
  }
}

function temporary(file: string): string {
  return `${file}.tmp`;
}

async function openOrCreate(fileSystem: FileSystem, folder: string, file: string): Promise<FileHandle> {
  try {
    return await fileSystem.open(file, 'r+');
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const handle = await writeFrames(fileSystem, file, []);
  try {
    await replace(fileSystem, folder, file);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Writes a new file under its temporary name and syncs it. */
async function writeFrames(fileSystem: FileSystem, file: string, frames: Iterable<Buffer>): Promise<FileHandle> {
  const handle = await fileSystem.open(temporary(file), 'w+');
  try {
    let size = await writeFully(handle, Buffer.from(JOURNAL_HEADER), 0);
    for (const frame of frames) size += await writeFully(handle, frame, size);
    await handle.sync();
    return handle;
  } catch (error) {
    await handle.close();
    // The reason counts, not that the half-written file could not be removed as well: the next rewrite overwrites it.
    await removeFile(fileSystem, temporary(file)).catch(() => undefined);
    throw error;
  }
}

/** Gives the new file the journal's name, durably. */
async function replace(fileSystem: FileSystem, folder: string, file: string): Promise<void> {
  await fileSystem.rename(temporary(file), file);
  await syncFolder(fileSystem, folder);
}

async function writeFully(handle: FileHandle, bytes: Buffer, position: number): Promise<number> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    if (bytesWritten === 0) throw new Error('the system wrote nothing');
    written += bytesWritten;
  }
  return written;
}
