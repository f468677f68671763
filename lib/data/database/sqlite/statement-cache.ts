import type { SqliteDatabase, SqliteStatement } from 'kysely';

/**
 * Prepares each query once. The driver frees a statement, and a closed database's files with the last of them, only
 * when the garbage collector comes by, so there should be few. The queries are parameterised and of a handful of
 * shapes, which bounds the cache; they run one at a time, so none is asked for while it is in use.
 */
export function cacheStatements(database: SqliteDatabase): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    prepare(sql) {
      const statement = statements.get(sql) ?? database.prepare(sql);
      statements.set(sql, statement);
      return statement;
    },
    close() {
      statements.clear();
      database.close();
    },
  };
}
