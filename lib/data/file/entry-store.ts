import { encodeFrame, FRAME_BYTES } from './journal-frame.js';
import type { JournalRecord } from './journal-record.js';
import { encodeRecord } from './journal-record.js';
import { KeyOrder } from './key-order.js';

/** What is stored under a key. */
export interface StoredEntry {
  readonly text: string;
  /** The number of the change that wrote it. */
  readonly sequence: number;
}

/** About what a record takes in the journal besides its key and its value. */
const RECORD_OVERHEAD = 24;

/** All that was acknowledged, in memory. */
export class EntryStore {
  readonly #entries = new Map<string, StoredEntry>();
  readonly #order = new KeyOrder();
  #sequence = 0;
  #size = 0;

  /** The highest sequence number given out. */
  get sequence(): number {
    return this.#sequence;
  }

  /** About how many bytes a journal takes that holds just these entries. */
  get size(): number {
    return this.#size;
  }

  get(key: string): StoredEntry | undefined {
    return this.#entries.get(key);
  }

  /** The keys that begin with `prefix` at the time of the first step, in byte order. */
  keys(prefix: string): Iterable<string> {
    return this.#order.startingWith(prefix);
  }

  apply({ key, text, sequence }: JournalRecord): void {
    const before = this.#entries.get(key);
    if (before !== undefined) this.#size -= sizeOf(key, before.text);
    if (text === undefined) {
      if (this.#entries.delete(key)) this.#order.remove(key);
    } else {
      this.#entries.set(key, { text, sequence });
      this.#size += sizeOf(key, text);
      if (before === undefined) this.#order.add(key);
    }
    this.advanceTo(sequence);
  }

  /** Gives out no number up to this one again, so that a version never comes back. */
  advanceTo(sequence: number): void {
    if (sequence > this.#sequence) this.#sequence = sequence;
  }

  /** The frames of a journal that holds just these entries. */
  *frames(): Generator<Buffer, void, undefined> {
    let records: string[] = [];
    let bytes = 0;
    for (const [key, { text, sequence }] of this.#entries) {
      records.push(encodeRecord({ key, text, sequence }));
      bytes += sizeOf(key, text);
      if (bytes < FRAME_BYTES) continue;
      yield encodeFrame(this.#sequence, records.join(''));
      records = [];
      bytes = 0;
    }
    // Also without entries: the frame keeps the sequence number.
    yield encodeFrame(this.#sequence, records.join(''));
  }
}

function sizeOf(key: string, text: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(text) + RECORD_OVERHEAD;
}
