/** What every operation of a {@link DataService} takes. */
export interface DataCallOptions {
  /**
   * Ends the operation: it rejects with the signal's reason, at once where it was waiting. A write that is cut off
   * after it has begun may or may not have been applied.
   */
  signal?: AbortSignal | undefined;
}

/** What {@link DataService.put} takes. */
export interface DataPutOptions extends DataCallOptions {
  /**
   * Write only if the key's version is still this one, or, with `null`, only if the key is absent.
   *
   * @default undefined: write whatever is there.
   */
  ifVersion?: string | null | undefined;
}

/** What {@link DataService.entries} takes. */
export interface DataEntriesOptions extends DataCallOptions {
  /**
   * Only keys that begin with this text, taken literally.
   *
   * @default '' (all keys)
   */
  prefix?: string | undefined;
}

/** A value and the version under which it was written. */
export interface DataEntry<T> {
  readonly value: T;
  /** Opaque; it changes with every write of the key, and never comes back, not even after a delete. */
  readonly version: string;
}
