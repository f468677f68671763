import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DataCallOptions, DataEntriesOptions, DataEntry, DataPutOptions } from '../port/data-options.js';
import { DataConflictException } from '../port/errors.js';
import { checkKey, checkPrefix } from '../port/key.js';
import { OperationGate } from '../port/operation-gate.js';
import { outsideCalls } from '../port/outside-calls.js';
import type { DataApplyOptions, DataWrite } from '../port/replicable-data.service.js';
import { ReplicableDataService } from '../port/replicable-data.service.js';
import { parseValue, serializeValue } from '../port/value.js';
import { checkIfVersion } from '../port/version.js';
import type { DataRow } from './database-backend.js';
import { DataTable, hasValue, toWrite } from './data-table.js';
import type { DatabaseDataOptions } from './database-options.js';
import { resolveDatabaseOptions } from './database-options.js';
import { openBackend } from './open-backend.js';
import { withTimeLimit } from './time-limit.js';

/**
 * Keeps the data in one table of a database, which several processes may use at the same time. `entries` reads a page
 * at a time. The query builder and the driver are loaded when the service is opened.
 *
 * What the database answers becomes one of three errors: DataUnavailableException (it cannot be reached, or not be
 * used now; another try may help), DataReadOnlyException (it takes no writes) and DataRejectedException (it would
 * refuse this write for ever).
 *
 * @publicApi
 */
export class DatabaseDataService extends ReplicableDataService {
  readonly #table: DataTable;
  readonly #gate: OperationGate;
  readonly #queryTimeout: number;

  private constructor(table: DataTable, name: string, queryTimeout: number) {
    super();
    this.#table = table;
    this.#gate = new OperationGate(`The database data service on the table ${name}`);
    this.#queryTimeout = queryTimeout;
  }

  /**
   * Connects to a database and creates the table where it is missing. A database that may lose acknowledged writes by
   * its settings is named in a warning.
   *
   * @throws ResilienceConfigurationError for a wrong option.
   * @throws DataDriverMissingException when a package is missing; it says what to install.
   * @throws DataUnavailableException when the database cannot be used.
   * @throws DataReadOnlyException when the table is missing and the database takes no writes.
   */
  static async open(options: DatabaseDataOptions): Promise<DatabaseDataService> {
    const resolved = resolveDatabaseOptions(options);
    const { table, queryTimeout } = resolved;
    const backend = await outsideCalls(() => openBackend(resolved));
    return new DatabaseDataService(new DataTable(backend, table), table, queryTimeout);
  }

  override async get<T>(key: string, options: DataCallOptions = {}): Promise<T | undefined> {
    return (await this.entry<T>(key, options))?.value;
  }

  override async entry<T>(key: string, { signal }: DataCallOptions = {}): Promise<DataEntry<T> | undefined> {
    checkKey(key);
    const row = await this.#run(signal, (limited) => this.#table.find(key, limited));
    return hasValue(row) ? { value: parseValue<T>(row.value), version: row.version } : undefined;
  }

  override async put<T>(key: string, value: T, { ifVersion, signal }: DataPutOptions = {}): Promise<void> {
    checkKey(key);
    checkIfVersion(key, ifVersion);
    const text = serializeValue(key, value);
    const written = await this.#run(signal, (limited) => this.#table.write(key, text, ifVersion, limited));
    if (!written) throw new DataConflictException(key, ifVersion ?? null);
  }

  override async delete(key: string, { signal }: DataCallOptions = {}): Promise<boolean> {
    checkKey(key);
    return this.#run(signal, (limited) => this.#table.delete(key, limited));
  }

  override async *entries<T>({ prefix = '', signal }: DataEntriesOptions = {}): AsyncGenerator<
    [string, T],
    void,
    undefined
  > {
    for await (const row of this.#rows(prefix, false, signal)) {
      if (hasValue(row)) yield [row.key, parseValue<T>(row.value)];
    }
  }

  override async apply(
    { key, text, version }: DataWrite,
    { ifVersion, signal }: DataApplyOptions = {},
  ): Promise<string> {
    checkKey(key);
    checkIfVersion(key, ifVersion);
    const row: DataRow = { key, value: text ?? null, version };
    const stands = await this.#run(signal, (limited) => this.#table.apply(row, ifVersion, limited));
    if (stands === undefined) throw new DataConflictException(key, ifVersion ?? null);
    return stands;
  }

  override async lastWrite(key: string, { signal }: DataCallOptions = {}): Promise<DataWrite | undefined> {
    checkKey(key);
    const row = await this.#run(signal, (limited) => this.#table.find(key, limited));
    return row && toWrite(row);
  }

  override async *writes({ prefix = '', signal }: DataEntriesOptions = {}): AsyncGenerator<DataWrite, void, undefined> {
    for await (const row of this.#rows(prefix, true, signal)) yield toWrite(row);
  }

  override async forget(key: string, version: string, { signal }: DataCallOptions = {}): Promise<boolean> {
    checkKey(key);
    return this.#run(signal, (limited) => this.#table.forget(key, version, limited));
  }

  override async ping({ signal }: DataCallOptions = {}): Promise<void> {
    return this.#run(signal, (limited) => this.#table.ping(limited));
  }

  override close(): Promise<void> {
    return this.#gate.close(() => this.#table.close());
  }

  async *#rows(
    prefix: string,
    deleted: boolean,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<DataRow, void, undefined> {
    checkPrefix(prefix);
    for await (const page of this.#table.pages(prefix, deleted, (work) => this.#run(signal, work))) {
      for (const row of page) {
        yield row;
        this.#gate.assertOpen();
        signal?.throwIfAborted();
      }
      // A synchronous driver leaves timers and I/O no turn by itself.
      await nextTurn();
    }
  }

  #run<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#gate.run(signal, () => withTimeLimit(this.#queryTimeout, signal, work));
  }
}
