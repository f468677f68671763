import type { DataCallOptions, DataEntriesOptions, DataEntry, DataPutOptions } from './data-options.js';

/**
 * Where an app keeps its data: keys with JSON values. The class is the DI token; which backend stands behind it is
 * decided where the app is put together.
 *
 * Keys are non-empty well-formed strings without NUL, of at most 512 bytes of UTF-8, and are compared as those bytes.
 * Values are JSON of at most 1 MiB, serialised at the call and checked before any I/O: `undefined`, NaN, Infinity,
 * BigInt, functions, symbols, Map, Set and cycles are an error that names the path, while an object with `toJSON` (a
 * Date, say) is stored as `JSON.stringify` would write it. The type parameters are a promise of the caller; nothing
 * checks what was stored against them.
 *
 * Every operation rejects with `DataKeyException` or `DataValueException` on bad input, with `DataClosedException`
 * after {@link close}, and with the signal's reason once its signal is aborted.
 *
 * @example
 * ```ts
 * @Injectable()
 * class CatalogueService {
 *   constructor(private readonly data: DataService) {}
 *
 *   find(sku: string): Promise<Product | undefined> {
 *     return this.data.get<Product>(`products/${sku}`);
 *   }
 * }
 * ```
 *
 * @publicApi
 */
export abstract class DataService {
  /** A fresh copy of the key's value, or undefined where the key is absent. */
  abstract get<T = unknown>(key: string, options?: DataCallOptions): Promise<T | undefined>;

  /**
   * Writes a value. Once this has resolved, the value is durable; where it rejected, it may or may not be there.
   *
   * @throws DataConflictException when `ifVersion` is not the key's version (`null`: when the key is there).
   *
   * @example
   * ```ts
   * const found = await data.entry<number>('stock/42');
   * await data.put('stock/42', (found?.value ?? 0) + 1, { ifVersion: found?.version ?? null });
   * ```
   */
  abstract put<T = unknown>(key: string, value: T, options?: DataPutOptions): Promise<void>;

  /** Removes a key, durably once resolved. Whether it was there. */
  abstract delete(key: string, options?: DataCallOptions): Promise<boolean>;

  /**
   * The keys and their values, in byte order of the key. A key that is there throughout comes exactly once; one that
   * is written or deleted meanwhile may come or not, with its old value or its new one.
   *
   * @example
   * ```ts
   * for await (const [key, product] of data.entries<Product>({ prefix: 'products/' })) show(key, product);
   * ```
   */
  abstract entries<T = unknown>(options?: DataEntriesOptions): AsyncIterable<[string, T]>;

  /** The key's value with its version, for a later `put` with `ifVersion`; undefined where the key is absent. */
  abstract entry<T = unknown>(key: string, options?: DataCallOptions): Promise<DataEntry<T> | undefined>;

  /** Resolves when the backend answers, and rejects with what is wrong otherwise. */
  abstract ping(options?: DataCallOptions): Promise<void>;

  /** Waits for the operations that are under way and lets go of the backend. A second call does nothing more. */
  abstract close(): Promise<void>;
}
