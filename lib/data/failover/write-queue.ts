import { join } from 'node:path';
import type { DataWrite, ReplicableDataService } from '../port/replicable-data.service.js';
import { compareUtf8 } from '../port/utf8-order.js';
import { timeOfVersion } from '../port/version-clock.js';
import { isReserved } from './reserved-key.js';

/** A key's place in the queue. */
interface Place {
  readonly version: string;
  /** When the key came in, in epoch ms. */
  readonly since: number;
}

/**
 * The last write of each key that the primary has not confirmed, on this machine's disk: in `pending`, and in `rejected`
 * what the primary refused for good. Which keys are queued is known in memory, so that a key leaves at once when the
 * primary has it, and the disk follows; a write that is found there again is repeated, which undoes nothing.
 */
export class WriteQueue {
  /** In the order in which the keys came in. */
  readonly #places = new Map<string, Place>();
  /** What is on its way off the disk. */
  readonly #leaving = new Map<string, Promise<void>>();
  #newestFound: string | undefined;

  private constructor(
    /** Also keeps what else must outlive the process, under reserved keys. */
    readonly pending: ReplicableDataService,
    private readonly rejected: ReplicableDataService,
    private readonly wallNow: () => number,
  ) {}

  /** Opens the folders, and finds what an earlier life has left. */
  static async open(
    path: string,
    openFolder: (path: string) => Promise<ReplicableDataService>,
    wallNow: () => number,
  ): Promise<WriteQueue> {
    // At the same time, since each may have to wait for the end of a lease.
    const opened = await Promise.allSettled([openFolder(join(path, 'pending')), openFolder(join(path, 'rejected'))]);
    try {
      const [pending, rejected] = opened.map(valueOf) as [ReplicableDataService, ReplicableDataService];
      const queue = new WriteQueue(pending, rejected, wallNow);
      await queue.#recover();
      return queue;
    } catch (error) {
      const held = opened.flatMap((folder) => (folder.status === 'fulfilled' ? [folder.value] : []));
      await Promise.allSettled(held.map((folder) => folder.close()));
      throw error;
    }
  }

  /** The newest version that an earlier life has left; undefined where it has left none. */
  get newestFound(): string | undefined {
    return this.#newestFound;
  }

  get length(): number {
    return this.#places.size;
  }

  /** Since when the first of the queued keys waits, in epoch ms; undefined where none waits. */
  get oldestSince(): number | undefined {
    return this.#places.values().next().value?.since;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  keys(): Iterable<string> {
    return this.#places.keys();
  }

  /** The queued keys that begin with `prefix`, in byte order. */
  keysFrom(prefix: string): string[] {
    return [...this.#places.keys()].filter((key) => key.startsWith(prefix)).sort(compareUtf8);
  }

  /** The queued write of a key; undefined where there is none. */
  async lastWrite(key: string): Promise<DataWrite | undefined> {
    return this.#places.has(key) ? this.pending.lastWrite(key) : undefined;
  }

  /** Takes a write in, in the place of an older one of its key; it is on the disk once this has resolved. */
  async add(write: DataWrite): Promise<void> {
    await this.pending.apply(write);
    const since = this.#places.get(write.key)?.since ?? this.wallNow();
    this.#places.set(write.key, { version: write.version, since });
  }

  /**
   * Lets go of a write that the primary has, unless a newer one of its key has come in.
   *
   * @returns since when its key was queued, in epoch ms; undefined where it is not the queued one any more.
   */
  settle(key: string, version: string): number | undefined {
    const place = this.#places.get(key);
    if (place?.version !== version) return undefined;
    this.#remove(key, version);
    return place.since;
  }

  /**
   * Lets go of whatever write a key has here: the primary has a newer one, which is not to be acknowledged before the
   * older one is off the disk, where the next life would read it.
   */
  async supersede(key: string): Promise<void> {
    const place = this.#places.get(key);
    if (place !== undefined) this.#remove(key, place.version);
    await this.#leaving.get(key);
  }

  /** Puts a write that the primary refused for good aside. */
  async reject(write: DataWrite): Promise<void> {
    await this.rejected.apply(write);
    this.settle(write.key, write.version);
  }

  async close(): Promise<void> {
    await Promise.all(this.#leaving.values());
    await Promise.all([this.pending.close(), this.rejected.close()]);
  }

  #remove(key: string, version: string): void {
    this.#places.delete(key);
    const leaving = this.#forget(key, version).finally(() => {
      if (this.#leaving.get(key) === leaving) this.#leaving.delete(key);
    });
    this.#leaving.set(key, leaving);
  }

  async #forget(key: string, version: string): Promise<void> {
    try {
      await this.pending.forget(key, version);
    } catch {
      // Where the disk fails, the write stays there, and is repeated by the next life.
    }
  }

  async #recover(): Promise<void> {
    const found: DataWrite[] = [];
    for await (const { key, version } of this.pending.writes()) {
      if (!isReserved(key)) found.push({ key, version, text: undefined });
    }
    found.sort((a, b) => (a.version < b.version ? -1 : 1));
    this.#newestFound = found.at(-1)?.version;
    for (const { key, version } of found) this.#places.set(key, { version, since: timeOfVersion(version) ?? 0 });
  }
}

function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}
