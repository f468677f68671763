import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import type { OptionRule } from '../option-checks.js';
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
  /**
   * How long an operation may take, in ms, waiting for its turn included; `entries` for each page. Then it is an error,
   * and a write may or may not have been applied.
   *
   * @default 10_000
   */
  queryTimeout?: number | undefined;
}

/** Checked, with every default in its place. */
export interface ResolvedDatabaseOptions {
  readonly address: DatabaseAddress;
  readonly table: string;
  readonly queryTimeout: number;
}

const DATABASE_DEFAULTS = { table: 'bulwark_data', queryTimeout: 10_000 } as const;
/** The longest delay that Node's timers hold. */
const MAX_TIMEOUT = 2 ** 31 - 1;

export function resolveDatabaseOptions(options: DatabaseDataOptions): ResolvedDatabaseOptions {
  checkOptions<DatabaseDataOptions>('databaseData', options, {
    url: { expected: 'a database URL such as sqlite:./data/shop.db', accepts: (value) => typeof value === 'string' },
    table: {
      expected:
        'a table name of letters, digits and underscores, at most 63, that begins with no digit and not with sqlite_',
      accepts: (value) => value === undefined || isTableName(value),
    },
    queryTimeout: wholeNumber('of ms', MAX_TIMEOUT),
  });
  const address = parseAddress(options.url);
  if (typeof address === 'string') throw new ResilienceConfigurationError('databaseData', address);
  const { table = DATABASE_DEFAULTS.table, queryTimeout = DATABASE_DEFAULTS.queryTimeout } = options;
  return Object.freeze({ address, table, queryTimeout });
}

/** A rule for an option that may be left out. */
function wholeNumber(unit: string, max: number): OptionRule {
  return {
    expected: `a whole number ${unit} from 1 to ${max}`,
    accepts: (value) =>
      value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max),
  };
}

function isTableName(value: unknown): boolean {
  return typeof value === 'string' && /^(?!sqlite_)[A-Za-z_]\w{0,62}$/i.test(value);
}
