import type { Compilable, Kysely } from 'kysely';
import type { DataRow, DataTables } from './database-backend.js';

/** The `upsert` of a {@link DatabaseBackend}, in the words of SQLite and PostgreSQL. */
export function conflictUpsert(
  queries: Kysely<DataTables>,
  table: string,
  row: DataRow,
  whereAbsent: boolean,
): Compilable {
  return queries
    .insertInto(table)
    .values(row)
    .onConflict((conflict) => {
      const update = conflict
        .column('key')
        .doUpdateSet((row) => ({ value: row.ref('excluded.value'), version: row.ref('excluded.version') }))
        .whereRef(`${table}.version`, '<', 'excluded.version');
      return whereAbsent ? update.where(`${table}.value`, 'is', null) : update;
    });
}
