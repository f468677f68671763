import { DataConflictException, DataOwnedException, DataWriteException } from '../port/errors.js';
import type { VersionClock } from '../port/version-clock.js';
import { isNewer } from '../port/version-clock.js';
import type { Change, PendingChange } from './change.js';
import type { DataFile } from './data-file.js';
import type { EntryStore } from './entry-store.js';
import { StoredEntry } from './entry-store.js';
import { textOf } from '../port/error-text.js';
import { adviceFor } from '../port/file-problem.js';
import type { RecordKind } from './record.js';
import { LONGEST_COMMIT, RECORD_KIND } from './record.js';
import type { RecordBuffer } from './record-buffer.js';

/** A commit is closed once its records have grown to this many bytes. */
const FULL_BYTES = 1024 * 1024;

/** What a record does to the store once it is durable. */
interface Effect {
  readonly key: string;
  readonly version: string;
  /** Undefined: the key is dropped. */
  readonly entry: StoredEntry | undefined;
  readonly text: string | undefined;
}

/** The changes that one sync makes durable. Each is judged by what the acknowledged ones and those before it leave. */
export class CommitBatch {
  readonly #effects: Effect[] = [];
  readonly #staged = new Map<string, StoredEntry | undefined>();
  readonly #members: PendingChange[] = [];
  /** What each member is told: a version, undefined, or an error. */
  readonly #outcomes: (string | undefined | DataConflictException)[] = [];

  /**
   * @param file where the records will lie.
   * @param sequence the last number that was given out.
   */
  constructor(
    private readonly store: EntryStore,
    private readonly clock: VersionClock,
    private readonly records: RecordBuffer,
    private readonly file: DataFile,
    private readonly sequence: number,
  ) {
    records.clear();
  }

  get isFull(): boolean {
    return this.records.length >= FULL_BYTES || this.#effects.length >= LONGEST_COMMIT;
  }

  /** How many records it has. */
  get count(): number {
    return this.#effects.length;
  }

  add(pending: PendingChange): void {
    if (pending.signal?.aborted === true) return pending.reject(pending.signal.reason);
    this.#members.push(pending);
    this.#outcomes.push(this.#stage(pending.change));
  }

  /**
   * Shows the changes to readers and tells the callers.
   *
   * @param offset where the records lie.
   */
  acknowledge(offset: number): void {
    for (const { key, version, entry, text } of this.#effects) {
      if (entry === undefined) {
        this.store.delete(key, version);
      } else {
        entry.offset += offset;
        this.store.set(key, entry, text);
      }
    }
    for (const [index, { resolve, reject }] of this.#members.entries()) {
      const outcome = this.#outcomes[index];
      if (outcome instanceof DataConflictException) reject(outcome);
      else resolve(outcome);
    }
  }

  /** Nothing changes. Refusals fail too, since they may rest on changes of this batch that did not happen. */
  fail(cause: unknown): void {
    const reason = textOf(cause);
    for (const { change, reject } of this.#members) {
      const what = `The change of the data key ${JSON.stringify(change.key)}`;
      if (cause instanceof DataOwnedException) reject(cause);
      else
        reject(
          new DataWriteException(`${what} could not be written to ${this.file.path}: ${reason}${adviceFor(cause)}`, {
            cause,
          }),
        );
    }
  }

  #stage(change: Change): string | undefined | DataConflictException {
    const { key } = change;
    const current = this.#staged.has(key) ? this.#staged.get(key) : this.store.get(key);
    switch (change.type) {
      case 'put':
        if (!fits(change.ifVersion, current)) return new DataConflictException(key, change.ifVersion);
        return this.#write(RECORD_KIND.put, key, this.clock.next(), change.text);
      case 'delete':
        if (current === undefined) return undefined;
        // A tombstone goes as well, though no value was there.
        this.#write(RECORD_KIND.delete, key, this.clock.next(), '');
        return current.isTombstone ? undefined : current.version;
      case 'apply':
        if (current?.version === change.version) return change.version;
        if (!fits(change.ifVersion, current)) return new DataConflictException(key, change.ifVersion);
        if (current !== undefined && !isNewer(change.version, current.version)) return current.version;
        this.clock.observe(change.version);
        if (change.text === undefined) return this.#write(RECORD_KIND.tombstone, key, change.version, '');
        return this.#write(RECORD_KIND.put, key, change.version, change.text);
      case 'forget':
        if (current?.version !== change.version) return undefined;
        this.#write(RECORD_KIND.delete, key, this.clock.next(), '');
        return current.version;
    }
  }

  #write(kind: RecordKind, key: string, version: string, text: string): string {
    const offset = this.records.length;
    const place = this.#effects.length;
    const length = this.records.add(this.sequence + place + 1, place, kind, version, key, text);
    const isTombstone = kind === RECORD_KIND.tombstone;
    const entry =
      kind === RECORD_KIND.delete ? undefined : new StoredEntry(version, isTombstone, length, this.file, offset);
    this.#effects.push({ key, version, entry, text });
    this.#staged.set(key, entry);
    return version;
  }
}

/** Whether a key has the version that a write asks for. A tombstone is no value, so it has none. */
function fits(ifVersion: string | null | undefined, current: StoredEntry | undefined): ifVersion is undefined {
  if (ifVersion === undefined) return true;
  return ifVersion === (current === undefined || current.isTombstone ? null : current.version);
}
