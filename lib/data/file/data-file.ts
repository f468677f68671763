import { DataDamagedException } from '../port/errors.js';
import type { OpenFile } from './file-system.js';
import { readFully } from './file-system.js';
import { RecordView } from './record.js';

/** Where a record lies. */
export interface RecordPlace {
  readonly file: DataFile;
  readonly offset: number;
  /** Of the whole record, in bytes. */
  readonly length: number;
}

/** A journal or a snapshot that is read from. It is closed once nobody uses it any more, also when it was removed. */
export class DataFile {
  #users = 1;
  /** Its length without what was prepared for later writes, in bytes. */
  size = 0;

  constructor(
    readonly path: string,
    readonly handle: OpenFile,
  ) {}

  /** Keeps it open until {@link release}. */
  retain(): void {
    this.#users += 1;
  }

  async release(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await this.handle.close();
  }
}

/**
 * The value's text of a record that was written before.
 *
 * @throws DataDamagedException where the file holds something else by now.
 */
export async function readText({ file, offset, length }: RecordPlace, key: string, version: string): Promise<string> {
  file.retain();
  try {
    const bytes = Buffer.allocUnsafe(length);
    const view = new RecordView();
    const filled = await readFully(file.handle, bytes, length, offset);
    const isThere = view.show(bytes, 0, filled) === 'whole' && view.key === key && view.version === version;
    if (!isThere) throw new DataDamagedException(file.path, offset, `expected the record of ${JSON.stringify(key)}`);
    return view.text;
  } finally {
    await file.release();
  }
}
