import type { Compilable, Kysely } from 'kysely';

/** One row of the table: the last write of a key. */
export interface DataRow {
  /** Compared as UTF-8 bytes. */
  key: string;
  /** JSON text, never in a JSON column, which would rewrite it; null: the key was deleted. */
  value: string | null;
  /** Compared as bytes; that of a later write is greater. */
  version: string;
}

/** The tables as the query builder knows them: their name is an option. */
export type DataTables = Record<string, DataRow>;

/** What a database answers to a query. */
export interface Answer<R> {
  readonly rows: readonly R[];
  /** How many rows were written or removed. */
  readonly changed: number;
}

/** What differs from database to database. */
export interface DatabaseBackend {
  /** Builds queries; they are run by {@link execute}. */
  readonly queries: Kysely<DataTables>;

  /**
   * Runs a query as soon as the database can take it, and waits out what passes by itself and had no effect, such as a
   * lock.
   *
   * @throws DataUnavailableException, DataReadOnlyException or DataRejectedException, and the signal's reason.
   */
  execute<R>(query: Compilable<R>, signal: AbortSignal): Promise<Answer<R>>;

  /**
   * A query that writes a row, unless the key has the same version or a newer one.
   *
   * @param whereAbsent only where the key has no value.
   */
  upsert(row: DataRow, whereAbsent: boolean): Compilable;

  close(): Promise<void>;
}
