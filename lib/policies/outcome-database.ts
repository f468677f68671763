import { propertyOf } from '../errors/foreign.js';

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
  const { name, code, sqlState, errno, number } = error as Layer;
  // Nearly all errors are plain ones.
  if (name === 'Error' && code === undefined && sqlState === undefined && errno === undefined) return false;
  return (
    isSqlState(sqlState) ||
    (typeof code === 'string' && (isSqlState(code) || saidBySqlite(code, error) || saidByPrisma(code, error))) ||
    (typeof code === 'number' && saidByMongo(code, name)) ||
    isIn(MYSQL, errno) ||
    (code === 'EREQUEST' && isIn(SQL_SERVER, number)) ||
    (typeof name === 'string' && ABSENT_OR_INVALID.has(name))
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

/** The primary result codes CONSTRAINT, TOOBIG and MISMATCH. @see https://www.sqlite.org/rescode.html */
const SQLITE = /^SQLITE_(?:CONSTRAINT|TOOBIG|MISMATCH)/;
const SQLITE_NUMBERS: ReadonlySet<unknown> = new Set([18, 19, 20]);

function saidBySqlite(code: string, error: object): boolean {
  if (code !== 'ERR_SQLITE_ERROR') return SQLITE.test(code);
  // That of Node itself: the extended result code, whose last byte is the primary one.
  const extended = propertyOf(error, 'errcode');
  return typeof extended === 'number' && SQLITE_NUMBERS.has(extended & 0xff);
}

/**
 * Constraints, values and absent rows; not P2024 (no connection came free), P2028, P2034 (a deadlock), P2036, P2037.
 *
 * @see https://www.prisma.io/docs/orm/reference/error-reference
 */
const PRISMA = /^P20(?:0[0-9]|1[1-9]|2[0-35-79]|33)$/;
/** A raw query failed: the driver's code is beside it. */
const PRISMA_RAW = 'P2010';

function saidByPrisma(code: string, error: object): boolean {
  return code === PRISMA_RAW ? isSqlState(propertyOf(propertyOf(error, 'meta'), 'code')) : PRISMA.test(code);
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

/** What mappers throw without an error of the driver: TypeORM, Sequelize, MikroORM, Mongoose, Prisma. */
const ABSENT_OR_INVALID: ReadonlySet<unknown> = new Set([
  'EntityNotFoundError',
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

function isIn(known: ReadonlySet<unknown>, value: unknown): boolean {
  return typeof value === 'number' && known.has(value);
}
