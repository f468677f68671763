import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import type { OptionRule } from '../port/option-checks.js';
import { checkOptions } from '../port/option-checks.js';
import type { DatabaseAddress } from './database-address.js';
import { parseAddress } from './database-address.js';
import type { ServerAddress } from './server/server-address.js';

/**
 * Options of `databaseData`.
 *
 * @publicApi
 */
export interface DatabaseDataOptions {
  /**
   * Which database:
   * - `sqlite:<path of a file>` (`sqlite:./data/shop.db`, `sqlite:///srv/shop.db`; created where it is missing) or
   *   `sqlite::memory:` (gone at the end);
   * - `mysql://user:password@host:3306/database`, or `mariadb:`;
   * - `postgres://user:password@host:5432/database`, or `postgresql:`.
   *
   * Reserved characters are percent-encoded. Of the parameters, `host`, `port`, `socket`, `user`, `password` and, for
   * PostgreSQL, `schema`, `options`, `application_name` and `pgbouncer` are used; others are ignored with a warning. The connection to a server is encrypted with `?sslmode=require` (whoever
   * answers is trusted), `verify-ca` or `verify-full` (the certificate is checked, with the host's name; the same as
   * `ssl=true`); `sslrootcert=<file>` names the authorities to trust, in place of those of Node. The default is
   * `sslmode=disable`; `prefer` goes on in clear text where the server offers nothing else. What else speaks of
   * encryption, or contradicts itself, is an error. No message shows the user or the password.
   */
  url: string;
  /**
   * The table, created where it is missing: letters, digits and underscores, at most 63.
   *
   * @default 'bulwark_data'
   */
  table?: string | undefined;
  /**
   * The largest number of connections to a server; they are opened when there is work for them. SQLite has one.
   *
   * @default 10
   */
  poolSize?: number | undefined;
  /**
   * How long connecting to a server may take, in ms.
   *
   * @default 5_000
   */
  connectTimeout?: number | undefined;
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
  readonly poolSize: number;
  readonly connectTimeout: number;
  readonly queryTimeout: number;
}

/** Those for a server. */
export interface ResolvedServerOptions extends ResolvedDatabaseOptions {
  readonly address: ServerAddress;
}

const DATABASE_DEFAULTS = { table: 'bulwark_data', poolSize: 10, connectTimeout: 5_000, queryTimeout: 10_000 } as const;
const MAX_POOL_SIZE = 1_000;
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
    poolSize: wholeNumber('of connections', MAX_POOL_SIZE),
    connectTimeout: wholeNumber('of ms', MAX_TIMEOUT),
    queryTimeout: wholeNumber('of ms', MAX_TIMEOUT),
  });
  const address = parseAddress(options.url);
  if (typeof address === 'string') throw new ResilienceConfigurationError('databaseData', address);
  return Object.freeze({
    address,
    table: options.table ?? DATABASE_DEFAULTS.table,
    poolSize: options.poolSize ?? DATABASE_DEFAULTS.poolSize,
    connectTimeout: options.connectTimeout ?? DATABASE_DEFAULTS.connectTimeout,
    queryTimeout: options.queryTimeout ?? DATABASE_DEFAULTS.queryTimeout,
  });
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
