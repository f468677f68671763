import type { DataCallOptions, DataEntriesOptions } from './data-options.js';
import { DataService } from './data.service.js';

/** A write as it goes from store to store. */
export interface DataWrite {
  readonly key: string;
  /** The value's JSON text; undefined: the key was deleted. */
  readonly text: string | undefined;
  /** When it was written, and by whom; versions compare as text, a later one is greater. */
  readonly version: string;
}

/** What {@link ReplicableDataService.apply} takes. */
export interface DataApplyOptions extends DataCallOptions {
  /** Apply only if the key's version is still this one, or, with `null`, only if the key has no value. */
  ifVersion?: string | null | undefined;
}

/**
 * A data service whose writes can come from another one: they keep the version they were given, a delete leaves a
 * tombstone, and nothing older ever replaces something newer. So writes may be repeated and come in any order, and
 * all stores that got them hold the same.
 *
 * What `get`, `entry` and `entries` of the {@link DataService} show has no tombstones in it; a plain `put` or `delete`
 * takes a version of its own.
 *
 * @publicApi
 */
export abstract class ReplicableDataService extends DataService {
  /**
   * Applies a write unless the key has the same version or a newer one; durable once resolved.
   *
   * @returns the version that the key has now: that of the write, or the newer one that stands.
   * @throws DataConflictException when `ifVersion` is not the key's version.
   */
  abstract apply(write: DataWrite, options?: DataApplyOptions): Promise<string>;

  /** The last write of a key, a delete too; undefined where there was none, or it is forgotten. */
  abstract lastWrite(key: string, options?: DataCallOptions): Promise<DataWrite | undefined>;

  /** The last write of every key, deletes too, in byte order of the key; as `entries` otherwise. */
  abstract writes(options?: DataEntriesOptions): AsyncIterable<DataWrite>;

  /**
   * Removes a key's last write without a trace, durably once resolved, unless another one has come meanwhile.
   *
   * @returns whether it was removed.
   */
  abstract forget(key: string, version: string, options?: DataCallOptions): Promise<boolean>;
}
