import { DataConflictException, DataWriteException } from '../errors.js';
import type { EntryStore, StoredEntry } from './entry-store.js';
import { encodeFrame, FRAME_BYTES } from './journal-frame.js';
import type { JournalRecord } from './journal-record.js';
import { encodeRecord } from './journal-record.js';

/** A change that a caller asked for. */
export interface Change {
  readonly key: string;
  /** The value's JSON text; undefined for a delete. */
  readonly text: string | undefined;
  /** The version that the key must have; null: none; undefined: any. */
  readonly ifVersion: string | null | undefined;
}

/** A change that waits for its commit. */
export interface PendingChange {
  readonly change: Change;
  readonly signal: AbortSignal | undefined;
  /** Told whether the key is there (after a put) or was there (for a delete). */
  readonly resolve: (found: boolean) => void;
  readonly reject: (reason: unknown) => void;
}

/** The changes that one sync makes durable. Each is judged by what the acknowledged ones and those before it leave. */
export class CommitBatch {
  readonly #records: JournalRecord[] = [];
  readonly #lines: string[] = [];
  readonly #staged = new Map<string, StoredEntry | undefined>();
  readonly #members: { pending: PendingChange; settle: () => void }[] = [];
  #bytes = 0;

  constructor(private readonly store: EntryStore) {}

  get isFull(): boolean {
    return this.#bytes >= FRAME_BYTES;
  }

  add(pending: PendingChange): void {
    if (pending.signal?.aborted) pending.reject(pending.signal.reason);
    else this.#members.push({ pending, settle: this.#stage(pending) });
  }

  /** What to append to the journal; undefined where nothing changes. */
  frame(): Buffer | undefined {
    const last = this.#records.at(-1);
    return last === undefined ? undefined : encodeFrame(last.sequence, this.#lines.join(''));
  }

  /** Shows the changes to readers and tells the callers. */
  acknowledge(): void {
    for (const record of this.#records) this.store.apply(record);
    for (const { settle } of this.#members) settle();
  }

  /** Nothing changes. Refusals fail too, since they may rest on changes of this batch that did not happen. */
  fail(file: string, cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    for (const { pending } of this.#members) {
      const key = JSON.stringify(pending.change.key);
      pending.reject(
        new DataWriteException(`The change of the data key ${key} could not be written to ${file}: ${reason}`, {
          cause,
        }),
      );
    }
  }

  #stage({ change, resolve, reject }: PendingChange): () => void {
    const { key, text, ifVersion } = change;
    const current = this.#staged.has(key) ? this.#staged.get(key) : this.store.get(key);
    if (ifVersion !== undefined && ifVersion !== versionOf(current)) {
      return () => reject(new DataConflictException(key, ifVersion));
    }
    if (text === undefined && current === undefined) return () => resolve(false);
    const sequence = this.store.sequence + this.#records.length + 1;
    this.#record({ sequence, key, text });
    return () => resolve(true);
  }

  #record(record: JournalRecord): void {
    const { sequence, key, text } = record;
    const line = encodeRecord(record);
    this.#records.push(record);
    this.#lines.push(line);
    this.#bytes += Buffer.byteLength(line);
    this.#staged.set(key, text === undefined ? undefined : { text, sequence });
  }
}

/** An entry's version as callers see it; null where there is none. */
export function versionOf(entry: StoredEntry | undefined): string | null {
  return entry === undefined ? null : String(entry.sequence);
}
