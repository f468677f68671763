import { DataWriteException } from '../errors.js';
import type { Change, Verdict } from './change.js';
import type { EntryStore } from './entry-store.js';
import { encodeFrame, FRAME_BYTES } from './journal-frame.js';
import type { JournalRecord, StoredEntry } from './journal-record.js';
import { encodeRecord } from './journal-record.js';

/** A change that waits for its commit. */
export interface PendingChange {
  readonly change: Change;
  readonly signal: AbortSignal | undefined;
  /** Told the result of the verdict. */
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/** The changes that one sync makes durable. Each is judged by what the acknowledged ones and those before it leave. */
export class CommitBatch {
  readonly #records: JournalRecord[] = [];
  readonly #lines: string[] = [];
  readonly #staged = new Map<string, StoredEntry | undefined>();
  readonly #members: { pending: PendingChange; verdict: Verdict }[] = [];
  #bytes = 0;

  constructor(private readonly store: EntryStore) {}

  get isFull(): boolean {
    return this.#bytes >= FRAME_BYTES;
  }

  add(pending: PendingChange): void {
    if (pending.signal?.aborted) return pending.reject(pending.signal.reason);
    const { key } = pending.change;
    const verdict = pending.change.judge(this.#staged.has(key) ? this.#staged.get(key) : this.store.get(key));
    this.#members.push({ pending, verdict });
    if ('entry' in verdict) this.#record(key, verdict.entry);
  }

  /** What to append to the journal; undefined where nothing changes. */
  frame(): Buffer | undefined {
    const last = this.#records.at(-1);
    return last === undefined ? undefined : encodeFrame(last.sequence, this.#lines.join(''));
  }

  /** Shows the changes to readers and tells the callers. */
  acknowledge(): void {
    for (const record of this.#records) this.store.apply(record);
    for (const { pending, verdict } of this.#members) {
      if ('error' in verdict) pending.reject(verdict.error);
      else pending.resolve(verdict.result);
    }
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

  #record(key: string, entry: StoredEntry | undefined): void {
    const record = { sequence: this.store.sequence + this.#records.length + 1, key, entry };
    const line = encodeRecord(record);
    this.#records.push(record);
    this.#lines.push(line);
    this.#bytes += Buffer.byteLength(line);
    this.#staged.set(key, entry);
  }
}
