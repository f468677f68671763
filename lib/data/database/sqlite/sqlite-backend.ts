import type { Compilable, Kysely } from 'kysely';
import { outsideCalls } from '../../port/outside-calls.js';
import { conflictUpsert } from '../conflict-upsert.js';
import type { Answer, DatabaseBackend, DataRow, DataTables } from '../database-backend.js';
import { pauseUnless } from '../time-limit.js';
import { fromSqliteError, isLocked } from './sqlite-errors.js';

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

  execute<R>(query: Compilable<R>, signal?: AbortSignal): Promise<Answer<R>> {
    return this.run(async () => {
      const { rows, numAffectedRows } = await this.queries.executeQuery(query.compile());
      return { rows, changed: Number(numAffectedRows ?? 0n) };
    }, signal);
  }

  upsert(row: DataRow, whereAbsent: boolean): Compilable {
    return conflictUpsert(this.queries, this.table, row, whereAbsent);
  }

  close(): Promise<void> {
    return this.queries.destroy();
  }

  /** One after the other: all share a connection, and its own queue wakes every waiter at each step. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = this.#lastTurn.then(() => waitOutLock(work, signal));
    this.#lastTurn = outsideCalls(() => turn.then(forget, forget));
    return turn;
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
      if (!isLocked(error) || performance.now() >= deadline) throw fromSqliteError(error);
    }
    await pauseUnless(signal, pause);
  }
}
