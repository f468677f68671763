import type { DataFactoryRecipe } from '../port/data-recipe.js';
import { DatabaseDataService } from './database-data.service.js';
import type { DatabaseDataOptions } from './database-options.js';
import { resolveDatabaseOptions } from './database-options.js';

/**
 * A recipe for a {@link DatabaseDataService}. It needs the package `kysely` and a driver:
 * `libsql` for SQLite, `mysql2` for MySQL and MariaDB, `pg` for PostgreSQL.
 *
 * @throws ResilienceConfigurationError for a wrong option.
 *
 * @example
 * ```ts
 * ResilienceModule.forRoot({ dataService: databaseData({ url: 'sqlite:./data/shop.db' }) });
 * ```
 *
 * @publicApi
 */
export function databaseData(options: DatabaseDataOptions): DataFactoryRecipe {
  resolveDatabaseOptions(options);
  const copy = { ...options };
  return { useFactory: () => DatabaseDataService.open(copy) };
}
