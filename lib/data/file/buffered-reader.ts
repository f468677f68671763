import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** Reads a file from a place on, a large piece at a time. What it gives out is valid until the next call. */
export class BufferedReader {
  #buffer = Buffer.alloc(0);

  /** @param position where to begin; from then on, the place of the next byte that will be given out. */
  constructor(
    private readonly handle: FileHandle,
    public position: number,
  ) {}

  /** The next line without its end; undefined where the file or `longest` bytes end before the line does. */
  async line(longest: number): Promise<Buffer | undefined> {
    await this.#fill(longest + 1);
    const end = this.#buffer.subarray(0, longest + 1).indexOf(NEWLINE);
    if (end === -1) return undefined;
    const line = this.#drop(end);
    this.#drop(1);
    return line;
  }

  /** The next `count` bytes; undefined where the file ends before. */
  async take(count: number): Promise<Buffer | undefined> {
    await this.#fill(count);
    return this.#buffer.length < count ? undefined : this.#drop(count);
  }

  /** Whether nothing is left. */
  async atEnd(): Promise<boolean> {
    await this.#fill(1);
    return this.#buffer.length === 0;
  }

  #drop(count: number): Buffer {
    const dropped = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    this.position += count;
    return dropped;
  }

  /** Holds at least `count` bytes afterwards, or all that are left. */
  async #fill(count: number): Promise<void> {
    if (this.#buffer.length >= count) return;
    const pieces = [this.#buffer];
    let held = this.#buffer.length;
    while (held < count) {
      const piece = Buffer.allocUnsafe(CHUNK_BYTES);
      const { bytesRead } = await this.handle.read(piece, 0, piece.length, this.position + held);
      if (bytesRead === 0) break;
      pieces.push(piece.subarray(0, bytesRead));
      held += bytesRead;
    }
    this.#buffer = Buffer.concat(pieces, held);
  }
}
