import { randomInt } from 'node:crypto';
import type { Compilable, Kysely } from 'kysely';
import {
  DataAccessException,
  DataException,
  DataReadOnlyException,
  DataRejectedException,
  DataUnavailableException,
} from '../../port/errors.js';
import type { Answer, DatabaseBackend, DataRow, DataTables } from '../database-backend.js';
import { textOf } from '../../port/error-text.js';
import { pauseUnless } from '../time-limit.js';
import type { ConnectionPool } from './connection-pool.js';
import type { ServerConnection } from './server-connection.js';

/**
 * What an error of a driver says:
 * - `unavailable`: the server cannot be reached, or cannot be used now; another try may help;
 * - `conflict`: the statement lost against another one and surely had no effect;
 * - `lost`: the connection is over, and the statement was never sent or surely rolled back with it;
 * - `denied`: it does not let this user in, or do that, or has no such database; waiting does not help;
 * - `readOnly`: the server takes no writes;
 * - `rejected`: it would refuse this write for ever.
 */
export type ServerErrorKind = 'unavailable' | 'lost' | 'conflict' | 'denied' | 'readOnly' | 'rejected';

/** How often a statement that lost against others is tried, and how long, in ms, the pause before may be. */
const ATTEMPTS = 10;
const LONGEST_PAUSE_MS = 20;

/** What one kind of server does differently. */
export interface ServerDialect {
  readonly queries: Kysely<DataTables>;
  kindOf(error: unknown): ServerErrorKind;
  upsert(row: DataRow, whereAbsent: boolean): Compilable;
}

/** The table on a server. */
export class ServerBackend implements DatabaseBackend {
  readonly queries: Kysely<DataTables>;

  /** @param place how messages call the server. */
  constructor(
    private readonly place: string,
    private readonly dialect: ServerDialect,
    private readonly pool: ConnectionPool,
  ) {
    this.queries = dialect.queries;
  }

  execute<R>(query: Compilable<R>, signal: AbortSignal): Promise<Answer<R>> {
    const { sql, parameters } = query.compile();
    return this.query<R>(sql, parameters, signal);
  }

  /** Runs a statement as it is written. */
  async query<R>(sql: string, parameters: readonly unknown[], signal: AbortSignal): Promise<Answer<R>> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.pool.use(signal, (connection) => this.#ask(connection, sql, parameters));
        return answer as Answer<R>;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof DataException) throw error;
        const kind = this.dialect.kindOf(error);
        if ((kind !== 'conflict' && kind !== 'lost') || attempt === ATTEMPTS) throw this.#toException(kind, error);
        if (kind === 'lost') continue;
      }
      await pauseUnless(signal, randomInt(LONGEST_PAUSE_MS));
    }
  }

  upsert(row: DataRow, whereAbsent: boolean): Compilable {
    return this.dialect.upsert(row, whereAbsent);
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  async #ask(connection: ServerConnection, sql: string, parameters: readonly unknown[]): Promise<Answer<unknown>> {
    try {
      return await connection.query(sql, parameters);
    } catch (error) {
      // A server that is going down says so on a connection before it closes it.
      const kind = this.dialect.kindOf(error);
      if (kind === 'unavailable' || kind === 'lost') connection.destroy();
      throw error;
    }
  }

  #toException(kind: ServerErrorKind, cause: unknown): DataException {
    const problem = textOf(cause);
    switch (kind) {
      case 'readOnly':
        // Behind the same name another server may take writes by now.
        this.pool.dropIdle();
        return new DataReadOnlyException(`The database ${this.place} takes no writes: ${problem}`, { cause });
      case 'denied':
        return new DataAccessException(`The database ${this.place} refuses access: ${problem}`, { cause });
      case 'rejected':
        return new DataRejectedException(`The database ${this.place} refused the write: ${problem}`, { cause });
      default:
        return new DataUnavailableException(`The database ${this.place} failed: ${problem}`, { cause });
    }
  }
}
