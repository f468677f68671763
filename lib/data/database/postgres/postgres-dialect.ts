import type { Kysely } from 'kysely';
import { conflictUpsert } from '../conflict-upsert.js';
import type { DataTables } from '../database-backend.js';
import { loadDriver } from '../load-driver.js';
import type { ServerDialect } from '../server/server-backend.js';
import { postgresErrorKind } from './postgres-errors.js';

/** The queries in the words of PostgreSQL. */
export async function postgresDialect(
  table: string,
  schema: string | undefined,
  install: string,
): Promise<ServerDialect> {
  const { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } = await loadDriver(
    'kysely',
    install,
    () => import('kysely'),
  );
  const builder = new Kysely<DataTables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      // The query builder only builds: queries are run on the connections of the pool.
      createDriver: () => new DummyDriver(),
      createIntrospector: (database: Kysely<unknown>) => new PostgresIntrospector(database),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  const queries = schema === undefined ? builder : builder.withSchema(schema);
  return {
    queries,
    kindOf: postgresErrorKind,
    upsert: (row, whereAbsent) => conflictUpsert(queries, table, row, whereAbsent),
  };
}
