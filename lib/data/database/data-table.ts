import { randomUUID } from 'node:crypto';
import { endOfPrefix } from '../utf8-order.js';
import type { DatabaseBackend, DataRow } from './database-backend.js';

/** How many rows are read at once; with values of 1 MiB each, that many MiB. */
const PAGE_ROWS = 64;

/** The queries on the table, each a single statement. */
export class DataTable {
  constructor(
    private readonly backend: DatabaseBackend,
    private readonly name: string,
  ) {}

  find(key: string, signal?: AbortSignal): Promise<DataRow | undefined> {
    const query = this.backend.queries.selectFrom(this.name).selectAll().where('key', '=', key);
    return this.backend.run(() => query.executeTakeFirst(), signal);
  }

  /**
   * Writes a value.
   *
   * @param ifVersion the version that the key must have; null: none; undefined: any.
   * @returns whether it was written.
   */
  write(key: string, value: string, ifVersion: string | null | undefined, signal?: AbortSignal): Promise<boolean> {
    // A counter would need a row of its own to survive a delete; a version only has to be new.
    const row: DataRow = { key, value, version: randomUUID() };
    return this.backend.run(async () => {
      if (ifVersion === null) return this.backend.insertIfAbsent(row);
      if (ifVersion !== undefined) return this.#replace(row, ifVersion);
      await this.backend.upsert(row);
      return true;
    }, signal);
  }

  /** Whether the key was there. */
  delete(key: string, signal?: AbortSignal): Promise<boolean> {
    const query = this.backend.queries.deleteFrom(this.name).where('key', '=', key);
    return this.backend.run(async () => (await query.executeTakeFirst()).numDeletedRows === 1n, signal);
  }

  /** The rows whose keys begin with `prefix`, in byte order, a page at a time. */
  async *pages(prefix: string, signal?: AbortSignal): AsyncGenerator<DataRow[], void, undefined> {
    const end = endOfPrefix(prefix);
    let query = this.backend.queries.selectFrom(this.name).selectAll().orderBy('key').limit(PAGE_ROWS);
    if (end !== undefined) query = query.where('key', '<', end);
    let page = await this.backend.run(() => query.where('key', '>=', prefix).execute(), signal);
    for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
      yield page;
      if (page.length < PAGE_ROWS) return;
      const { key } = last;
      page = await this.backend.run(() => query.where('key', '>', key).execute(), signal);
    }
  }

  async ping(signal?: AbortSignal): Promise<void> {
    const query = this.backend.queries.selectFrom(this.name).select('version').limit(1);
    await this.backend.run(() => query.execute(), signal);
  }

  close(): Promise<void> {
    return this.backend.queries.destroy();
  }

  async #replace({ key, value, version }: DataRow, ifVersion: string): Promise<boolean> {
    const { numUpdatedRows } = await this.backend.queries
      .updateTable(this.name)
      .set({ value, version })
      .where('key', '=', key)
      .where('version', '=', ifVersion)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }
}
