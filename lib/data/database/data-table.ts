import { DataRejectedException } from '../port/errors.js';
import type { DataWrite } from '../port/replicable-data.service.js';
import { endOfPrefix } from '../port/utf8-order.js';
import { isNewer, VersionClock } from '../port/version-clock.js';
import type { DatabaseBackend, DataRow } from './database-backend.js';
import { KeyTurns } from '../port/key-turns.js';

/** How many rows are read at once; with values of 1 MiB each, that many MiB. */
const PAGE_ROWS = 64;

/** What became of a write; `stored` is the row that stood in its way, if it is still there. */
type Written = { readonly written: true } | { readonly written: false; readonly stored: DataRow | undefined };

/** The queries on the table, each a single statement. */
export class DataTable {
  readonly #clock = new VersionClock();
  readonly #turns = new KeyTurns();

  constructor(
    private readonly backend: DatabaseBackend,
    private readonly name: string,
  ) {}

  /** The last write of a key, which may be its delete. */
  async find(key: string, signal: AbortSignal): Promise<DataRow | undefined> {
    const query = this.backend.queries.selectFrom(this.name).selectAll().where('key', '=', key);
    return (await this.backend.execute(query, signal)).rows[0];
  }

  /**
   * Writes a value under a version above the one that is there.
   *
   * @param ifVersion the version that the key must have; null: none; undefined: any.
   * @returns whether it was written.
   */
  write(key: string, value: string, ifVersion: string | null | undefined, signal: AbortSignal): Promise<boolean> {
    return this.#turns.run(key, signal, async () => {
      for (;;) {
        const row: DataRow = { key, value, version: this.#clock.next() };
        const outcome = await this.#tryWrite(row, ifVersion, signal);
        if (outcome.written) return true;
        const { stored } = outcome;
        if (!meets(stored, ifVersion)) return false;
        // Another node's clock is ahead; or the row is gone, and so is what stood in the way.
        if (stored !== undefined) this.#goAbove(stored);
      }
    });
  }

  /**
   * Writes a row under the version that it brings, unless the key has the same or a newer one.
   *
   * @returns the version that the key has now; undefined where it has not the one of `ifVersion`.
   */
  apply(row: DataRow, ifVersion: string | null | undefined, signal: AbortSignal): Promise<string | undefined> {
    return this.#turns.run(row.key, signal, async () => {
      for (;;) {
        const outcome = await this.#tryWrite(row, ifVersion, signal);
        if (outcome.written) return row.version;
        const { stored } = outcome;
        // A repetition finds its own write, whatever it expected to replace.
        if (stored?.version === row.version) return row.version;
        if (!meets(stored, ifVersion)) return undefined;
        if (stored !== undefined) return stored.version;
      }
    });
  }

  /** Removes a key, or what is left of one that was deleted; whether it had a value. */
  delete(key: string, signal: AbortSignal): Promise<boolean> {
    const query = this.backend.queries.deleteFrom(this.name).where('key', '=', key);
    return this.#turns.run(key, signal, async () => {
      const { changed } = await this.backend.execute(query.where('value', 'is not', null), signal);
      if (changed === 0) await this.backend.execute(query.where('value', 'is', null), signal);
      return changed > 0;
    });
  }

  /** Removes a row unless it was written again; whether it was removed. */
  forget(key: string, version: string, signal: AbortSignal): Promise<boolean> {
    const query = this.backend.queries.deleteFrom(this.name).where('key', '=', key).where('version', '=', version);
    return this.#turns.run(key, signal, async () => (await this.backend.execute(query, signal)).changed > 0);
  }

  /**
   * The rows whose keys begin with `prefix`, in byte order, a page at a time.
   *
   * @param deleted whether those of deleted keys come too.
   * @param run runs one query, under a signal of its own.
   */
  async *pages(
    prefix: string,
    deleted: boolean,
    run: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>,
  ): AsyncGenerator<readonly DataRow[], void, undefined> {
    const end = endOfPrefix(prefix);
    let query = this.backend.queries.selectFrom(this.name).selectAll().orderBy('key');
    // As a literal, since not every driver sends a whole number as one.
    query = query.limit((builder) => builder.lit(PAGE_ROWS));
    if (!deleted) query = query.where('value', 'is not', null);
    if (end !== undefined) query = query.where('key', '<', end);
    let next = query.where('key', '>=', prefix);
    for (;;) {
      const { rows } = await run((signal) => this.backend.execute(next, signal));
      yield rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_ROWS) return;
      next = query.where('key', '>', last.key);
    }
  }

  async ping(signal: AbortSignal): Promise<void> {
    const query = this.backend.queries.selectFrom(this.name).select('version');
    await this.backend.execute(
      query.limit((builder) => builder.lit(1)),
      signal,
    );
  }

  close(): Promise<void> {
    return this.backend.close();
  }

  async #tryWrite(row: DataRow, ifVersion: string | null | undefined, signal: AbortSignal): Promise<Written> {
    const query =
      typeof ifVersion === 'string' ? this.#replace(row, ifVersion) : this.backend.upsert(row, ifVersion === null);
    const { changed } = await this.backend.execute(query, signal);
    if (changed > 0) return { written: true };
    return { written: false, stored: await this.find(row.key, signal) };
  }

  #replace({ key, value, version }: DataRow, ifVersion: string) {
    return this.backend.queries
      .updateTable(this.name)
      .set({ value, version })
      .where('key', '=', key)
      .where('version', '=', ifVersion)
      .where('version', '<', version)
      .where('value', 'is not', null);
  }

  #goAbove({ key, version }: DataRow): void {
    this.#clock.observe(version);
    if (isNewer(this.#clock.next(), version)) return;
    throw new DataRejectedException(
      `The table ${this.name} has the version ${JSON.stringify(version)} for the key ${JSON.stringify(key)}; ` +
        'expected one that a data service gave out',
    );
  }
}

/** Whether what is stored is what `ifVersion` expects. */
function meets(stored: DataRow | undefined, ifVersion: string | null | undefined): boolean {
  if (ifVersion === undefined) return true;
  return (hasValue(stored) ? stored.version : null) === ifVersion;
}

/** Whether a key is there, rather than deleted or never written. */
export function hasValue(row: DataRow | undefined): row is DataRow & { value: string } {
  return row !== undefined && row.value !== null;
}

/** A row as other stores take it. */
export function toWrite({ key, value, version }: DataRow): DataWrite {
  return { key, text: value ?? undefined, version };
}
