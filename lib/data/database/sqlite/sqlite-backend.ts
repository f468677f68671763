import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { DatabaseBackend, DataRow, DataTables } from '../database-backend.js';

/** How long, in ms, a query waits for a lock that another process holds. */
const LOCK_WAIT_MS = 5_000;
const LONGEST_PAUSE_MS = 100;

/** The table in an SQLite database, on its single connection. */
export class SqliteBackend implements DatabaseBackend {
  #lastTurn: Promise<void> = Promise.resolve();

  constructor(
    readonly queries: Kysely<DataTables>,
    private readonly table: string,
  ) {}

  /** One after the other: all share a connection, and its own queue wakes every waiter at each step. */
  run<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const turn = this.#lastTurn.then(() => waitOutLock(work, signal));
    this.#lastTurn = turn.then(forget, forget);
    return turn;
  }

  async createTable(): Promise<void> {
    await this.queries.schema
      .createTable(this.table)
      .ifNotExists()
      .addColumn('key', 'text', (column) => column.primaryKey().notNull())
      .addColumn('value', 'text', (column) => column.notNull())
      .addColumn('version', 'text', (column) => column.notNull())
      .execute();
  }

  async upsert(row: DataRow): Promise<void> {
    const { value, version } = row;
    await this.queries
      .insertInto(this.table)
      .values(row)
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value, version }))
      .execute();
  }

  async insertIfAbsent(row: DataRow): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.queries
      .insertInto(this.table)
      .values(row)
      .onConflict((conflict) => conflict.column('key').doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  }
}

/** The next turn only needs to know that this one is over, not to hold its rows. */
function forget(): void {}

/** The driver would wait by itself, but with the whole process standing still. */
async function waitOutLock<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!isLocked(error) || performance.now() >= deadline) throw error;
    }
    await delay(pause, undefined, { signal });
  }
}

/** Whether a query was refused, without any effect, because another connection writes. */
function isLocked(error: unknown): boolean {
  return error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith('SQLITE_BUSY');
}
