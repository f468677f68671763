import { encodeFrame, FRAME_BYTES } from './journal-frame.js';
import type { JournalRecord, StoredEntry } from './journal-record.js';
import { encodeRecord } from './journal-record.js';
import { KeyOrder } from './key-order.js';

/** About what a record takes in the journal besides its key and its value. */
const RECORD_OVERHEAD = 52;

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

  apply({ key, entry, sequence }: JournalRecord): void {
    const before = this.#entries.get(key);
    if (before !== undefined) this.#size -= sizeOf(key, before);
    if (entry === undefined) {
      if (this.#entries.delete(key)) this.#order.remove(key);
    } else {
      this.#entries.set(key, entry);
      this.#size += sizeOf(key, entry);
      if (before === undefined) this.#order.add(key);
    }
    this.advanceTo(sequence);
  }

  /** Gives out no number up to this one again, so that the order of the commits can be told. */
  advanceTo(sequence: number): void {
    if (sequence > this.#sequence) this.#sequence = sequence;
  }

  /** The frames of a journal that holds just these entries. */
  *frames(): Generator<Buffer, void, undefined> {
    let records: string[] = [];
    let bytes = 0;
    for (const [key, entry] of this.#entries) {
      records.push(encodeRecord({ key, entry, sequence: this.#sequence }));
      bytes += sizeOf(key, entry);
      if (bytes < FRAME_BYTES) continue;
      yield encodeFrame(this.#sequence, records.join(''));
      records = [];
      bytes = 0;
    }
    // Also without entries: the frame keeps the sequence number.
    yield encodeFrame(this.#sequence, records.join(''));
  }
}

function sizeOf(key: string, { text = '' }: StoredEntry): number {
  return Buffer.byteLength(key) + Buffer.byteLength(text) + RECORD_OVERHEAD;
}
