import type { RecordKind } from './record.js';
import { roomFor, writeRecord } from './record.js';

const FIRST_BYTES = 64 * 1024;

/** Above this size, in bytes, the memory is given back once its content was written. */
const KEPT_BYTES = 1024 * 1024;

/** The records of one commit, in memory that is used again for the next. */
export class RecordBuffer {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** How much of it is filled. */
  get length(): number {
    return this.#length;
  }

  /** Adds a record; returns its length. */
  add(sequence: number, place: number, kind: RecordKind, version: string, key: string, text: string): number {
    const needed = this.#length + roomFor(key, text);
    if (needed > this.#bytes.length) this.#grow(needed);
    const written = writeRecord(this.#bytes, this.#length, sequence, place, kind, version, key, text);
    this.#length += written;
    return written;
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafe(FIRST_BYTES);
  }

  #grow(needed: number): void {
    const bytes = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
  }
}
