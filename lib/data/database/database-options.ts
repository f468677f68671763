import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { checkOptions } from '../option-checks.js';
import type { DatabaseAddress } from './database-address.js';
import { parseAddress } from './database-address.js';

/**
 * Options of `databaseData`.
 *
 * @publicApi
 */
export interface DatabaseDataOptions {
  /**
   * Which database: `sqlite:<path of a file>` (`sqlite:./data/shop.db`, `sqlite:///srv/shop.db`; created where it is
   * missing) or `sqlite::memory:` (gone at the end).
   */
  url: string;
  /**
   * The table, created where it is missing: letters, digits and underscores, at most 63.
   *
   * @default 'bulwark_data'
   */
  table?: string | undefined;
}

/** Checked, with every default in its place. */
export interface ResolvedDatabaseOptions {
  readonly address: DatabaseAddress;
  readonly table: string;
}

const DEFAULT_TABLE = 'bulwark_data';

export function resolveDatabaseOptions(options: DatabaseDataOptions): ResolvedDatabaseOptions {
  checkOptions<DatabaseDataOptions>('databaseData', options, {
    url: { expected: 'a database URL such as sqlite:./data/shop.db', accepts: (value) => typeof value === 'string' },
    table: {
      expected:
        'a table name of letters, digits and underscores, at most 63, that begins with no digit and not with sqlite_',
      accepts: (value) => value === undefined || isTableName(value),
    },
  });
  const address = parseAddress(options.url);
  if (typeof address === 'string') throw new ResilienceConfigurationError('databaseData', address);
  return Object.freeze({ address, table: options.table ?? DEFAULT_TABLE });
}

function isTableName(value: unknown): boolean {
  return typeof value === 'string' && /^(?!sqlite_)[A-Za-z_]\w{0,62}$/i.test(value);
}
