import { propertyOf } from '../../errors/foreign.js';
import { isRedisAnswer } from './outcome-redis.js';

/**
 * Whether a database has worked and said no: a constraint, an absent row, a value that does not fit, a wrong statement.
 * Such an error is an answer. A lost connection, a deadlock or a full pool is none.
 */
export function isDatabaseAnswer(error: object): boolean {
  const { cause, parent, original, driverError } = error as Layer;
  if (saysNo(error)) return true;
  if (cause === undefined && parent === undefined && original === undefined && driverError === undefined) return false;
  // Mappers name one error in two places, and a cause may lead back to where it came from.
  const seen = new Set<object>([error]);
  let layers = wrappedIn(error);
  for (let depth = 1; depth <= MAX_DEPTH && layers.length > 0; depth++) {
    const unseen = layers.filter((layer) => !seen.has(layer));
    if (unseen.some(saysNo)) return true;
    for (const layer of unseen) seen.add(layer);
    layers = unseen.flatMap(wrappedIn);
  }
  return false;
}

const MAX_DEPTH = 5;

/** What is read of an error. */
interface Layer {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly sqlState?: unknown;
  readonly errno?: unknown;
  readonly number?: unknown;
  readonly kind?: unknown;
  /** Query builders and mappers hand on the driver's error in one of these. */
  readonly cause?: unknown;
  readonly parent?: unknown;
  readonly original?: unknown;
  readonly driverError?: unknown;
}

function wrappedIn(error: object): object[] {
  const { cause, parent, original, driverError } = error as Layer;
  return [cause, parent, original, driverError].filter(
    (layer): layer is object => typeof layer === 'object' && layer !== null,
  );
}

function saysNo(error: object): boolean {
  const { name, code, sqlState, errno, number, kind } = error as Layer;
  // Nearly all errors are plain ones.
  if (name === 'Error' && code === undefined && sqlState === undefined && errno === undefined) {
    return isRedisAnswer(error);
  }
  return (
    (isSqlState(sqlState) && !MYSQL_FULL.has(errno)) ||
    (typeof code === 'string' && (isSqlState(code) || saidBySqlite(code, error) || saidByPrisma(code, error))) ||
    (typeof code === 'number' && saidByMongo(code, name)) ||
    MYSQL.has(errno) ||
    (code === 'EREQUEST' && SQL_SERVER.has(number)) ||
    ABSENT_OR_INVALID.has(name) ||
    (typeof kind === 'string' && saidByPrismaAdapter(kind, error)) ||
    isRedisAnswer(error)
  );
}

/** Data exception, integrity violation, syntax error or access rule. pg has it in `code`, mysql2 in `sqlState`. */
const SQLSTATE = /^(?:22|23|42)[0-9A-Z]{3}$/;

function isSqlState(value: unknown): boolean {
  return typeof value === 'string' && SQLSTATE.test(value);
}

/**
 * What MySQL and MariaDB say under the state HY000: no default value, an incorrect value, a check constraint.
 *
 * @see https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 */
const MYSQL: ReadonlySet<unknown> = new Set([1364, 1366, 3819, 4025]);
/** A limit of a user or of prepared statements is reached: nothing is wrong with the statement, though its state is 42000. */
const MYSQL_FULL: ReadonlySet<unknown> = new Set([1203, 1226, 1461]);

/** The primary result codes CONSTRAINT, TOOBIG and MISMATCH. @see https://www.sqlite.org/rescode.html */
const SQLITE = /^SQLITE_(?:CONSTRAINT|TOOBIG|MISMATCH)/;
const SQLITE_NUMBERS: ReadonlySet<unknown> = new Set([18, 19, 20]);

/** A wrong statement has the code of all that has no other: only the text tells. */
const SQLITE_STATEMENT = /(?:^|: )(?:no such (?:table|column|function)\b|near ".*": syntax error|incomplete input)/s;

function saidBySqlite(code: string, error: object): boolean {
  if (code === 'SQLITE_ERROR') return isWrongStatement(error);
  if (code !== 'ERR_SQLITE_ERROR') return SQLITE.test(code);
  // That of Node itself: the extended result code, whose last byte is the primary one.
  const extended = propertyOf(error, 'errcode');
  if (typeof extended !== 'number') return false;
  return SQLITE_NUMBERS.has(extended & 0xff) || (extended === 1 && isWrongStatement(error));
}

function isWrongStatement(error: object): boolean {
  const message = propertyOf(error, 'message');
  return typeof message === 'string' && SQLITE_STATEMENT.test(message);
}

/**
 * Constraints, values and absent rows; not P2024 (no connection came free), P2028, P2034 (a deadlock), P2036, P2037.
 *
 * @see https://www.prisma.io/docs/orm/reference/error-reference
 */
const PRISMA = /^P20(?:0[0-9]|1[1-9]|2[0-35-79]|33)$/;
/** A raw query failed, or the database said what Prisma has no name for: the driver's code is beside it. */
const PRISMA_OTHER: ReadonlySet<string> = new Set(['P2010', 'P2039']);

function saidByPrisma(code: string, error: object): boolean {
  if (!PRISMA_OTHER.has(code)) return PRISMA.test(code);
  const meta = propertyOf(error, 'meta');
  if (isSqlState(propertyOf(meta, 'code'))) return true;
  const said = propertyOf(propertyOf(meta, 'driverAdapterError'), 'cause');
  return typeof said === 'object' && said !== null && saysNo(said);
}

/** What a driver adapter of Prisma tells of a database's error: a kind, and the code, the state or the text of the driver. */
const PRISMA_KINDS: ReadonlySet<unknown> = new Set([
  'ColumnNotFound',
  'ForeignKeyConstraintViolation',
  'InconsistentColumnData',
  'InvalidInputValue',
  'LengthMismatch',
  'NullConstraintViolation',
  'RestrictViolation',
  'TableDoesNotExist',
  'UniqueConstraintViolation',
  'ValueOutOfRange',
]);

function saidByPrismaAdapter(kind: string, error: object): boolean {
  if (PRISMA_KINDS.has(kind) || isSqlState(propertyOf(error, 'originalCode'))) return true;
  if (kind === 'sqlite') return isWrongStatement(error);
  return kind === 'mysql' && isSqlState(propertyOf(error, 'state')) && !MYSQL_FULL.has(propertyOf(error, 'code'));
}

/** Duplicate key, failed validation, wrong value or query. @see https://www.mongodb.com/docs/manual/reference/error-codes/ */
const MONGO: ReadonlySet<unknown> = new Set([2, 9, 14, 121, 11000, 11001]);

function saidByMongo(code: number, name: unknown): boolean {
  return typeof name === 'string' && name.startsWith('Mongo') && MONGO.has(code);
}

/** Duplicate key, reference, null, truncated and unfit values, wrong statements, by the numbers of SQL Server. */
const SQL_SERVER: ReadonlySet<unknown> = new Set([
  102, 156, 207, 208, 245, 515, 547, 2601, 2627, 2628, 8114, 8134, 8152,
]);

/**
 * What mappers throw without an error of the driver: TypeORM, Sequelize, MikroORM, Mongoose, Prisma. A row that another
 * has changed in the meantime is not there any more.
 */
const ABSENT_OR_INVALID: ReadonlySet<unknown> = new Set([
  'EntityNotFoundError',
  'NotFoundError',
  'OptimisticLockError',
  'OptimisticLockVersionMismatchError',
  'SequelizeOptimisticLockError',
  'VersionError',
  'EmptyResultError',
  'SequelizeEmptyResultError',
  'SequelizeValidationError',
  'SequelizeUniqueConstraintError',
  'SequelizeForeignKeyConstraintError',
  'SequelizeExclusionConstraintError',
  'UniqueConstraintViolationException',
  'ForeignKeyConstraintViolationException',
  'NotNullConstraintViolationException',
  'CheckConstraintViolationException',
  'DocumentNotFoundError',
  'PrismaClientValidationError',
]);
