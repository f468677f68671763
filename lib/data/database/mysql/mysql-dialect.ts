import type { Compilable, Kysely } from 'kysely';
import type { DataRow, DataTables } from '../database-backend.js';
import { loadDriver } from '../load-driver.js';
import type { ServerDialect } from '../server/server-backend.js';
import { mysqlErrorKind } from './mysql-errors.js';

/** The queries in the words of MySQL and MariaDB; both understand them. */
export async function mysqlDialect(table: string, install: string): Promise<ServerDialect> {
  const { DummyDriver, Kysely, MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler, sql } = await loadDriver(
    'kysely',
    install,
    () => import('kysely'),
  );
  const queries = new Kysely<DataTables>({
    dialect: {
      createAdapter: () => new MysqlAdapter(),
      // The query builder only builds: queries are run on the connections of the pool.
      createDriver: () => new DummyDriver(),
      createIntrospector: (database: Kysely<unknown>) => new MysqlIntrospector(database),
      createQueryCompiler: () => new MysqlQueryCompiler(),
    },
  });

  function upsert(row: DataRow, whereAbsent: boolean): Compilable {
    // Assignments take effect from left to right, so the value goes by what became of the version.
    const applies = whereAbsent
      ? sql<boolean>`version < VALUES(version) AND value IS NULL`
      : sql<boolean>`version < VALUES(version)`;
    return queries
      .insertInto(table)
      .values(row)
      .onDuplicateKeyUpdate({
        version: sql<string>`IF(${applies}, VALUES(version), version)`,
        value: sql<string>`IF(version = VALUES(version), VALUES(value), value)`,
      });
  }

  return { queries, kindOf: mysqlErrorKind, upsert };
}
