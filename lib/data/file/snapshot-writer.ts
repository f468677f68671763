import { dirname } from 'node:path';
import { DataFile } from './data-file.js';
import type { FileHead } from './file-head.js';
import { encodeHead, HEAD_BYTES } from './file-head.js';
import { temporaryPath } from './file-names.js';
import type { FileSystem, OpenFile } from './file-system.js';
import { removeFile, writeFully } from './file-system.js';
import { LONGEST_RECORD, type RecordView } from './record.js';

/** How much is gathered before it is written, in bytes. */
const PIECE_BYTES = 256 * 1024;

/**
 * How much is written before it is synced, in bytes: the commits that go on meanwhile wait for the same disk, and one
 * sync of everything at the end would hold them up for as long as that takes.
 */
const BYTES_PER_SYNC = 8 * 1024 * 1024;

/** Writes a snapshot under a temporary name, and gives it its own one once the disk holds all of it. */
export class SnapshotWriter {
  readonly #piece = Buffer.allocUnsafe(PIECE_BYTES + LONGEST_RECORD);
  #filled = 0;
  #size = HEAD_BYTES;
  #unsynced = 0;
  #count = 0;

  private constructor(
    private readonly fileSystem: FileSystem,
    private readonly path: string,
    private readonly file: OpenFile,
  ) {}

  static async create(fileSystem: FileSystem, path: string): Promise<SnapshotWriter> {
    await removeFile(fileSystem, temporaryPath(path));
    return new SnapshotWriter(fileSystem, path, await fileSystem.open(temporaryPath(path), 'create'));
  }

  get isFull(): boolean {
    return this.#filled >= PIECE_BYTES;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds a record, while it is not full; returns where it will lie. */
  add(view: RecordView): number {
    view.copyTo(this.#piece, this.#filled, ++this.#count);
    const offset = this.#size + this.#filled;
    this.#filled += view.length;
    return offset;
  }

  /** Writes what was added. */
  async flush(): Promise<void> {
    await writeFully(this.file, this.#piece, this.#filled, this.#size);
    this.#size += this.#filled;
    this.#unsynced += this.#filled;
    this.#filled = 0;
    if (this.#unsynced >= BYTES_PER_SYNC) await this.#sync();
  }

  /** @returns the file under its own name. */
  async finish(head: Omit<FileHead, 'count' | 'type' | 'previous'>): Promise<DataFile> {
    await this.flush();
    const bytes = encodeHead({ ...head, type: 'snapshot', previous: 0, count: this.#count });
    await writeFully(this.file, bytes, bytes.length, 0);
    await this.#sync();
    await this.fileSystem.rename(temporaryPath(this.path), this.path);
    await this.fileSystem.syncFolder(dirname(this.path), 'snapshot-name');
    const file = new DataFile(this.path, this.file);
    file.size = this.#size;
    return file;
  }

  /** Gives up. The reason counts, not that the half-written file could not be removed as well. */
  async abandon(): Promise<void> {
    await this.file.close().catch(() => undefined);
    await removeFile(this.fileSystem, temporaryPath(this.path)).catch(() => undefined);
  }

  async #sync(): Promise<void> {
    await this.file.sync('snapshot-content');
    this.#unsynced = 0;
  }
}
