import type { DataFile, RecordPlace } from './data-file.js';
import { KeyOrder } from './key-order.js';
import { ValueCache } from './value-cache.js';

/** The last write of a key: what version it has, and where it lies. */
export class StoredEntry implements RecordPlace {
  constructor(
    readonly version: string,
    /** The key was deleted, and the delete is kept. */
    readonly isTombstone: boolean,
    readonly length: number,
    public file: DataFile,
    public offset: number,
  ) {}
}

/** What the store held at one moment, while later changes go on. */
export interface FrozenEntries {
  readonly count: number;
  /** The entry whose record lies at that place, if it was there at that moment. */
  at(key: string, file: DataFile, offset: number): StoredEntry | undefined;
  /** To be called when nobody asks any more. */
  release(): void;
}

/** Every key that was acknowledged, with where its value lies, and the values that were used last. */
export class EntryStore {
  readonly #entries = new Map<string, StoredEntry>();
  readonly #order = new KeyOrder(() => this.#entries.keys());
  readonly #cache: ValueCache;
  #bytes = 0;
  #tombstones = 0;
  #frozen: { files: ReadonlySet<DataFile>; replaced: Map<string, StoredEntry> } | undefined;
  /** The highest version that was written. */
  version = '';

  /** @param cacheBytes how much of the values may be kept. */
  constructor(cacheBytes: number) {
    this.#cache = new ValueCache(cacheBytes);
  }

  /** How many keys have a value. */
  get keys(): number {
    return this.#entries.size - this.#tombstones;
  }

  get tombstones(): number {
    return this.#tombstones;
  }

  /** How many bytes the records take that count. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): StoredEntry | undefined {
    return this.#entries.get(key);
  }

  /** The value's text, if it is at hand. */
  cached(key: string): string | undefined {
    return this.#cache.get(key);
  }

  /** As {@link cached}, for one who reads everything once. */
  peek(key: string): string | undefined {
    return this.#cache.peek(key);
  }

  /** Keeps a text that was read, unless the key was written meanwhile. */
  cache(key: string, entry: StoredEntry, text: string): void {
    if (this.#entries.get(key) === entry) this.#cache.set(key, text);
  }

  /** The keys that begin with `prefix`, in byte order. */
  keysFrom(prefix: string): Promise<Iterable<string>> {
    return this.#order.startingWith(prefix);
  }

  /**
   * Takes in what a record says that was read from a file; to be ended by {@link loaded}. A million of them are read at
   * start, so each costs a single look-up, and what can be added up afterwards is.
   */
  load(key: string, version: string, entry: StoredEntry | undefined): void {
    if (entry === undefined) this.#entries.delete(key);
    else this.#entries.set(key, entry);
    this.advance(version);
  }

  loaded(): void {
    this.#bytes = this.#tombstones = 0;
    for (const { length, isTombstone } of this.#entries.values()) {
      this.#bytes += length;
      if (isTombstone) this.#tombstones += 1;
    }
  }

  /** @param text the value's, where it is worth keeping; undefined otherwise. */
  set(key: string, entry: StoredEntry, text: string | undefined): void {
    const before = this.#entries.get(key);
    if (before === undefined) this.#order.add(key);
    else this.#replace(key, before);
    this.#entries.set(key, entry);
    this.#bytes += entry.length;
    if (entry.isTombstone) this.#tombstones += 1;
    if (text === undefined || entry.isTombstone) this.#cache.delete(key);
    else this.#cache.set(key, text);
    this.advance(entry.version);
  }

  delete(key: string, version: string): void {
    this.advance(version);
    const before = this.#entries.get(key);
    if (before === undefined) return;
    this.#replace(key, before);
    this.#entries.delete(key);
    this.#order.remove(key);
    this.#cache.delete(key);
  }

  /** Takes note of a version, so that it never comes back. */
  advance(version: string): void {
    if (version > this.version) this.version = version;
  }

  /**
   * Keeps what there is now, until it is released; one at a time.
   *
   * @param files where all entries lie; none that is written later may lie there.
   */
  freeze(files: readonly DataFile[]): FrozenEntries {
    const replaced = new Map<string, StoredEntry>();
    this.#frozen = { files: new Set(files), replaced };
    return {
      count: this.#entries.size,
      at: (key, file, offset) => {
        const entry = replaced.get(key) ?? this.#entries.get(key);
        return entry !== undefined && entry.file === file && entry.offset === offset ? entry : undefined;
      },
      release: () => (this.#frozen = undefined),
    };
  }

  #replace(key: string, before: StoredEntry): void {
    this.#bytes -= before.length;
    if (before.isTombstone) this.#tombstones -= 1;
    if (this.#frozen?.files.has(before.file) === true) this.#frozen.replaced.set(key, before);
  }
}
