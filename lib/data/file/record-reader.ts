import type { OpenFile } from './file-system.js';
import { readFully } from './file-system.js';
import { LONGEST_RECORD, RECORD_MAGIC, RecordView } from './record.js';

const WINDOW_BYTES = 2 * LONGEST_RECORD;

/** Goes through the records of a file, a large piece at a time. */
export class RecordReader {
  readonly #view = new RecordView();
  readonly #window: Buffer;
  /** Where in the file the window begins, and how much of it is filled. */
  #start = 0;
  #filled = 0;

  /** @param size where the file ends, in bytes. */
  constructor(
    private readonly file: OpenFile,
    private readonly size: number,
  ) {
    this.#window = Buffer.allocUnsafe(Math.min(size, WINDOW_BYTES));
  }

  /**
   * Shows the records from a place on, until one is not whole or `visit` returns false for it. The view holds until
   * the next one.
   *
   * @returns where that one begins, or where the file ends.
   */
  async read(from: number, visit: (view: RecordView, offset: number) => boolean): Promise<number> {
    let position = from;
    for (;;) {
      await this.#moveTo(position);
      const before = position;
      position = this.#readWindow(position, visit);
      if (position === before || position >= this.size || this.#holds(position)) return position;
    }
  }

  /** The first whole record that begins at a place or behind it, and where. */
  async find(from: number): Promise<{ view: RecordView; offset: number } | undefined> {
    let position = from;
    while (position < this.size) {
      await this.#moveTo(position);
      if (this.#filled === 0) return undefined;
      const at = this.#window.subarray(0, this.#filled).indexOf(RECORD_MAGIC, position - this.#start);
      if (at === -1) {
        // The magic may lie across the edge.
        position = Math.max(position + 1, this.#start + this.#filled - RECORD_MAGIC.length + 1);
        continue;
      }
      position = this.#start + at;
      await this.#moveTo(position);
      const state = this.#view.show(this.#window, position - this.#start, this.#filled);
      if (state === 'whole') return { view: this.#view, offset: position };
      position += 1;
    }
    return undefined;
  }

  /** Where the zeros begin that reach to the end of the file. */
  async endOfContent(from: number): Promise<number> {
    let end = from;
    for (let position = from; position < this.size; position = this.#start + this.#filled) {
      await this.#moveTo(position);
      if (this.#filled === 0) break;
      let last = this.#filled - 1;
      while (last >= position - this.#start && this.#window[last] === 0) last -= 1;
      if (last >= position - this.#start) end = this.#start + last + 1;
    }
    return end;
  }

  #readWindow(from: number, visit: (view: RecordView, offset: number) => boolean): number {
    const view = this.#view;
    let position = from;
    while (view.show(this.#window, position - this.#start, this.#filled) === 'whole') {
      if (!visit(view, position)) break;
      position += view.length;
    }
    return position;
  }

  /** Whether the longest record would lie in the window, or the file ends there. */
  #holds(position: number): boolean {
    const end = this.#start + this.#filled;
    return end >= this.size || position + LONGEST_RECORD <= end;
  }

  async #moveTo(position: number): Promise<void> {
    if (position >= this.#start && this.#filled > 0 && this.#holds(position)) return;
    this.#start = position;
    const length = Math.min(this.#window.length, this.size - position);
    this.#filled = length <= 0 ? 0 : await readFully(this.file, this.#window, length, position);
  }
}
