import {
  DataConflictException,
  DataUnavailableException,
  type DataApplyOptions,
  type DataCallOptions,
  type DataEntriesOptions,
  type DataEntry,
  type DataPutOptions,
  type DataWrite,
} from '../../lib/data/index.js';
import { ReplicableDataService } from '../../lib/data/port/replicable-data.service.js';
import { compareUtf8 } from '../../lib/data/port/utf8-order.js';
import { VersionClock } from '../../lib/data/port/version-clock.js';

/** What happens to an operation of a {@link MemoryDataService} before it begins. */
export type MemoryFault =
  /** It rejects with this error, without effect. */
  | { readonly error: Error }
  /** It takes effect, and then rejects with this error. */
  | { readonly answerLost: Error }
  /** It takes effect once this has resolved. */
  | { readonly until: Promise<unknown> }
  /** It never ends. */
  | 'hangs'
  /** It takes effect, but its caller never learns of it. */
  | 'answerHangs';

export const DOWN: { readonly error: Error } = { error: new DataUnavailableException('connection refused') };

/** A replicable data service in memory, whose operations fail when a test says so. */
export class MemoryDataService extends ReplicableDataService {
  /** The last write of each key. */
  readonly store: Map<string, DataWrite>;
  /** What happens to the next operations; undefined: nothing. */
  fault: MemoryFault | undefined | ((operation: string, key: string) => MemoryFault | undefined);
  /** The operations so far, such as `apply a`. */
  readonly operations: string[] = [];
  closed = false;
  readonly #clock: VersionClock;

  constructor(wallClock: () => number = Date.now, store = new Map<string, DataWrite>()) {
    super();
    this.store = store;
    this.#clock = new VersionClock(wallClock);
  }

  override async get<T>(key: string, options?: DataCallOptions): Promise<T | undefined> {
    return (await this.entry<T>(key, options))?.value;
  }

  override async entry<T>(key: string, options?: DataCallOptions): Promise<DataEntry<T> | undefined> {
    const write = await this.lastWrite(key, options);
    return write?.text === undefined ? undefined : { value: JSON.parse(write.text) as T, version: write.version };
  }

  override async put<T>(key: string, value: T, options: DataPutOptions = {}): Promise<void> {
    await this.apply({ key, text: JSON.stringify(value), version: this.#clock.next() }, options);
  }

  override async delete(key: string): Promise<boolean> {
    const before = this.store.get(key)?.text;
    await this.apply({ key, text: undefined, version: this.#clock.next() });
    return before !== undefined;
  }

  override async *entries<T>(options?: DataEntriesOptions): AsyncGenerator<[string, T], void, undefined> {
    for await (const { key, text } of this.writes(options)) if (text !== undefined) yield [key, JSON.parse(text) as T];
  }

  override async apply(write: DataWrite, { ifVersion, signal }: DataApplyOptions = {}): Promise<string> {
    return this.#run('apply', write.key, signal, () => {
      const before = this.store.get(write.key);
      const current = before?.text === undefined ? null : before.version;
      if (ifVersion !== undefined && ifVersion !== current) throw new DataConflictException(write.key, ifVersion);
      if (before !== undefined && before.version >= write.version) return before.version;
      this.store.set(write.key, write);
      return write.version;
    });
  }

  override lastWrite(key: string, { signal }: DataCallOptions = {}): Promise<DataWrite | undefined> {
    return this.#run('lastWrite', key, signal, () => this.store.get(key));
  }

  override async *writes({ prefix = '', signal }: DataEntriesOptions = {}): AsyncGenerator<DataWrite, void, undefined> {
    const keys = [...this.store.keys()].filter((key) => key.startsWith(prefix)).sort(compareUtf8);
    await this.#run('writes', prefix, signal, () => {});
    for (const key of keys) {
      const write = await this.#run('next', key, signal, () => this.store.get(key));
      if (write !== undefined) yield write;
    }
  }

  override forget(key: string, version: string): Promise<boolean> {
    return this.#run('forget', key, undefined, () => {
      return this.store.get(key)?.version === version && this.store.delete(key);
    });
  }

  override ping({ signal }: DataCallOptions = {}): Promise<void> {
    return this.#run('ping', '', signal, () => {});
  }

  override async close(): Promise<void> {
    this.closed = true;
  }

  async #run<T>(operation: string, key: string, signal: AbortSignal | undefined, work: () => T): Promise<T> {
    signal?.throwIfAborted();
    this.operations.push(`${operation} ${key}`.trim());
    const fault = typeof this.fault === 'function' ? this.fault(operation, key) : this.fault;
    if (fault === undefined) return work();
    if (fault === 'hangs') return new Promise<never>(() => {});
    if (fault === 'answerHangs') {
      work();
      return new Promise<never>(() => {});
    }
    if ('error' in fault) throw fault.error;
    if ('until' in fault) {
      await fault.until;
      return work();
    }
    work();
    throw fault.answerLost;
  }
}
