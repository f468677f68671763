import type { Kysely } from 'kysely';

/** One row of the table. */
export interface DataRow {
  /** Compared as UTF-8 bytes. */
  key: string;
  /** JSON text, never in a JSON column, which would rewrite it. */
  value: string;
  /** New and unique at every write. */
  version: string;
}

/** The tables as the query builder knows them: their name is an option. */
export type DataTables = Record<string, DataRow>;

/** What differs from database to database. All queries go through {@link run}. */
export interface DatabaseBackend {
  readonly queries: Kysely<DataTables>;

  /** Runs queries as soon as the database can take them, and waits out what passes by itself, such as a lock. */
  run<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T>;

  createTable(): Promise<void>;

  upsert(row: DataRow): Promise<void>;

  /** Whether the key was absent, so that the row was written. */
  insertIfAbsent(row: DataRow): Promise<boolean>;
}
