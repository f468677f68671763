import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DataCallOptions, DataEntriesOptions, DataEntry, DataPutOptions } from '../data-options.js';
import { DataService } from '../data.service.js';
import { DataConflictException } from '../errors.js';
import { checkKey, checkPrefix } from '../key.js';
import { OperationGate } from '../operation-gate.js';
import { parseValue, serializeValue } from '../value.js';
import { checkIfVersion } from '../version.js';
import { DataTable } from './data-table.js';
import type { DatabaseDataOptions } from './database-options.js';
import { resolveDatabaseOptions } from './database-options.js';
import { openBackend } from './open-backend.js';

/**
 * Keeps the data in one table of a database, which several processes may use at the same time. `entries` reads a page
 * at a time. The query builder and the driver are loaded when the service is opened.
 *
 * @publicApi
 */
export class DatabaseDataService extends DataService {
  readonly #table: DataTable;
  readonly #gate: OperationGate;

  private constructor(table: DataTable, name: string) {
    super();
    this.#table = table;
    this.#gate = new OperationGate(`The database data service on the table ${name}`);
  }

  /**
   * Connects to a database and creates the table where it is missing.
   *
   * @throws ResilienceConfigurationError for a wrong option.
   * @throws DataDriverMissingException when a package is missing; it says what to install.
   * @throws DataUnavailableException when the database cannot be used.
   */
  static async open(options: DatabaseDataOptions): Promise<DatabaseDataService> {
    const resolved = resolveDatabaseOptions(options);
    const backend = await openBackend(resolved);
    return new DatabaseDataService(new DataTable(backend, resolved.table), resolved.table);
  }

  override async get<T>(key: string, options: DataCallOptions = {}): Promise<T | undefined> {
    return (await this.entry<T>(key, options))?.value;
  }

  override async entry<T>(key: string, { signal }: DataCallOptions = {}): Promise<DataEntry<T> | undefined> {
    checkKey(key);
    const row = await this.#gate.run(signal, () => this.#table.find(key, signal));
    return row && { value: parseValue<T>(row.value), version: row.version };
  }

  override async put<T>(key: string, value: T, { ifVersion, signal }: DataPutOptions = {}): Promise<void> {
    checkKey(key);
    checkIfVersion(key, ifVersion);
    const text = serializeValue(key, value);
    const written = await this.#gate.run(signal, () => this.#table.write(key, text, ifVersion, signal));
    if (!written) throw new DataConflictException(key, ifVersion ?? null);
  }

  override async delete(key: string, { signal }: DataCallOptions = {}): Promise<boolean> {
    checkKey(key);
    return this.#gate.run(signal, () => this.#table.delete(key, signal));
  }

  override async *entries<T>({ prefix = '', signal }: DataEntriesOptions = {}): AsyncGenerator<
    [string, T],
    void,
    undefined
  > {
    checkPrefix(prefix);
    const pages = this.#table.pages(prefix, signal);
    for (;;) {
      const page = await this.#gate.run(signal, () => pages.next());
      if (page.done) return;
      for (const { key, value } of page.value) {
        yield [key, parseValue<T>(value)];
        this.#gate.assertOpen();
        signal?.throwIfAborted();
      }
      // A synchronous driver leaves timers and I/O no turn by itself.
      await nextTurn();
    }
  }

  override async ping({ signal }: DataCallOptions = {}): Promise<void> {
    return this.#gate.run(signal, () => this.#table.ping(signal));
  }

  override close(): Promise<void> {
    return this.#gate.close(() => this.#table.close());
  }
}
