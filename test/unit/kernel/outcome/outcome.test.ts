import { HttpException, NotFoundException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { RateLimitExceededException } from '../../../../lib/errors/rate-limit-exceeded.exception.js';
import { ShutdownException } from '../../../../lib/errors/shutdown.exception.js';
import { TimeoutException } from '../../../../lib/errors/timeout.exception.js';
import { judge } from '../../../../lib/kernel/outcome/outcome.js';
import { statusOf } from '../../../../lib/kernel/outcome/outcome-status.js';

const init = { policy: 'p', instanceName: 'i', message: 'm' };
const judged = (error: unknown) => judge(error, false, undefined);

/** An error in the shape of grpc-js. */
const grpc = (code: number) => Object.assign(new Error(`${code} SAID`), { code, details: 'said', metadata: {} });
const shaped = (shape: object) => Object.assign(new Error('shaped'), shape);

/** An RpcException as @nestjs/microservices throws it. */
class RpcLike extends Error {
  constructor(private readonly error: unknown) {
    super('rpc');
  }

  getError(): unknown {
    return this.error;
  }
}

const shapes: [place: string, build: (status: unknown) => object][] = [
  ['getStatus()', (status) => shaped({ getStatus: () => status })],
  ['status', (status) => shaped({ status })],
  ['statusCode', (status) => shaped({ statusCode: status })],
  ['response.status', (status) => shaped({ response: { status } })],
  ['response.statusCode', (status) => shaped({ response: { statusCode: status } })],
  ['$metadata.httpStatusCode', (status) => shaped({ $metadata: { httpStatusCode: status } })],
  ['getError() as a number', (status) => new RpcLike(status)],
  ['getError().status', (status) => new RpcLike({ status })],
  ['getError().statusCode', (status) => new RpcLike({ statusCode: status })],
];

describe('statusOf', () => {
  it.each(shapes)('reads %s', (_place, build) => {
    expect(statusOf(build(404))).toBe(404);
    expect(statusOf(build(503))).toBe(503);
  });

  it.each(shapes)('takes integers from 400 to 599 only, in %s', (_place, build) => {
    const refused = [399, 600, 200, 0, -404, 404.5, NaN, Infinity, '404', null, undefined, {}, true];

    expect(refused.map((status) => statusOf(build(status)))).toEqual(refused.map(() => undefined));
    expect([400, 599].map((status) => statusOf(build(status)))).toEqual([400, 599]);
  });

  it('reads the next place, where one holds no status', () => {
    const error = shaped({ getStatus: () => 'error', status: 'error', statusCode: 0, response: { status: 422 } });

    expect(statusOf(error)).toBe(422);
  });

  it('reads on, when a getter of the status throws', () => {
    const getStatus = (): never => {
      throw new Error('not mine');
    };

    expect(statusOf(shaped({ getStatus, statusCode: 409 }))).toBe(409);
  });

  it('has none for an empty response, or for what is not an object', () => {
    const without = [new Error('plain'), shaped({ response: null, $metadata: null }), null, undefined, 404, 'gone'];

    expect(without.map(statusOf)).toEqual(without.map(() => undefined));
  });

  it('reads the exceptions of Nest', () => {
    expect(statusOf(new NotFoundException())).toBe(404);
    expect(statusOf(new HttpException('teapot', 418))).toBe(418);
  });
});

describe('judge', () => {
  describe('of a thrown error without a sign of its own', () => {
    it.each([
      ['an Error', new Error('x')],
      ['a string', 'x'],
      ['a number', 404],
      ['undefined', undefined],
      ['null', null],
      ['a plain object', {}],
      ['a network error', shaped({ code: 'ECONNRESET' })],
    ])('says failure, repeatable: %s', (_what, error) => {
      expect(judged(error)).toEqual({ kind: 'failure', repeatable: true });
    });
  });

  describe('of an HTTP status', () => {
    it.each([408, 425, 429, 500, 502, 503, 504, 507, 599])('says failure, repeatable: %i', (status) => {
      expect(judged(shaped({ status }))).toEqual({ kind: 'failure', repeatable: true });
    });

    it.each([501, 505])('says failure, never repeatable: %i', (status) => {
      expect(judged(shaped({ status }))).toEqual({ kind: 'failure', repeatable: false });
    });

    it.each([400, 401, 403, 404, 405, 407, 409, 410, 413, 418, 422, 424, 426, 428, 431, 451, 499])(
      'says answered: %i',
      (status) => {
        expect(judged(shaped({ status }))).toEqual({ kind: 'answered', repeatable: false });
      },
    );

    it.each(shapes)('reads it from %s', (_place, build) => {
      expect(judged(build(404)).kind).toBe('answered');
      expect(judged(build(501))).toEqual({ kind: 'failure', repeatable: false });
      expect(judged(build(200)).kind).toBe('failure');
    });
  });

  describe('of the AWS SDK', () => {
    const aws = (name: string, httpStatusCode: number, shape: object = {}) =>
      shaped({ name, $metadata: { httpStatusCode }, ...shape });

    it.each([
      aws('ThrottlingException', 400),
      aws('RequestThrottled', 403),
      aws('RequestTimeout', 400),
      aws('OfItsOwn', 400, { $retryable: { throttling: true } }),
    ])('says failure, repeatable, of what asks for later with a 4xx: %o', (error) => {
      expect(judged(error)).toEqual({ kind: 'failure', repeatable: true });
    });

    it.each([aws('ResourceNotFoundException', 400), aws('AccessDenied', 403), aws('LimitExceededException', 400)])(
      'says answered: %o',
      (error) => {
        expect(judged(error).kind).toBe('answered');
      },
    );

    it('says answered, when another client uses such a name', () => {
      expect(judged(shaped({ name: 'ThrottlingException', status: 400 })).kind).toBe('answered');
    });
  });

  describe('of a gRPC status', () => {
    it.each([4, 8, 13, 14, 15])('says failure, repeatable: %i', (code) => {
      expect(judged(grpc(code))).toEqual({ kind: 'failure', repeatable: true });
    });

    it('says failure, never repeatable: 2', () => {
      expect(judged(grpc(2))).toEqual({ kind: 'failure', repeatable: false });
    });

    it.each([3, 5, 6, 7, 9, 10, 11, 12, 16])('says answered: %i', (code) => {
      expect(judged(grpc(code))).toEqual({ kind: 'answered', repeatable: false });
    });

    it('says aborted: 1', () => {
      expect(judged(grpc(1))).toEqual({ kind: 'aborted', repeatable: false });
    });

    it.each([
      ['without details', shaped({ code: 5, metadata: {} })],
      ['without metadata', shaped({ code: 5, details: '' })],
      ['with a code that is no number', shaped({ code: '5', details: '', metadata: {} })],
    ])('takes no code for one %s', (_what, error) => {
      expect(judged(error).kind).toBe('failure');
    });
  });

  describe('of an SQLSTATE', () => {
    const answered = ['22001', '22P02', '23000', '23505', '42601', '42P01'];
    const failed = ['08006', '40001', '40P01', '53300', '57014', '57P01', 'XX000', '2350', '235055', '23-05'];

    it.each(answered)('says answered, as pg gives it: %s', (code) => {
      expect(judged(shaped({ code }))).toEqual({ kind: 'answered', repeatable: false });
    });

    it.each(answered)('says answered, as mysql2 gives it: %s', (sqlState) => {
      expect(judged(shaped({ code: 'ER_DUP_ENTRY', sqlState })).kind).toBe('answered');
    });

    it.each(answered)('says answered, as a query builder wraps an error of pg: %s', (code) => {
      expect(judged(new Error('query failed', { cause: shaped({ code }) })).kind).toBe('answered');
    });

    it('says answered, as a query builder wraps an error of mysql2', () => {
      const wrapped = answered.map((sqlState) => {
        const cause = shaped({ code: 'ER_DUP_ENTRY', errno: 1062, sqlState });
        return new Error('query failed', { cause });
      });

      expect(wrapped.map((error) => judged(error).kind)).toEqual(answered.map(() => 'answered'));
    });

    it.each(failed)('says failure: %s', (code) => {
      expect(judged(shaped({ code })).kind).toBe('failure');
      expect(judged(shaped({ sqlState: code })).kind).toBe('failure');
    });

    it('is not led in a circle by an error that is its own cause', () => {
      const error: Error = new Error('round');
      error.cause = error;

      expect(judged(error).kind).toBe('failure');
    });
  });

  describe("of a database's own words", () => {
    const named = (name: string, shape: object = {}) => Object.assign(new Error(name), { name, ...shape });
    const prisma = (code: string, meta?: object) => named('PrismaClientKnownRequestError', { code, meta });
    const adapted = (cause: object) => named('DriverAdapterError', { cause });
    /** The error of node-redis for a reply: its name is that of any error. */
    class SimpleError extends Error {}

    it.each<[string, Error]>([
      ['better-sqlite3 and libsql', named('SqliteError', { code: 'SQLITE_CONSTRAINT_UNIQUE' })],
      ['sqlite3', shaped({ code: 'SQLITE_CONSTRAINT', errno: 19 })],
      ['node:sqlite', shaped({ code: 'ERR_SQLITE_ERROR', errcode: 2067, errstr: 'constraint failed' })],
      ['a value that is too big for SQLite', shaped({ code: 'SQLITE_TOOBIG' })],
      ['MongoDB, a duplicate key', named('MongoServerError', { code: 11000 })],
      ['MongoDB, a bulk write', named('MongoBulkWriteError', { code: 11000 })],
      ['MongoDB, a failed validation', named('MongoServerError', { code: 121 })],
      ['Prisma, a unique constraint', prisma('P2002')],
      ['Prisma, a foreign key', prisma('P2003')],
      ['Prisma, an absent row', prisma('P2025')],
      ['Prisma, a raw query', prisma('P2010', { code: '23505' })],
      ['Prisma, a wrong query', named('PrismaClientValidationError')],
      ['Sequelize', named('SequelizeUniqueConstraintError', { parent: shaped({ code: '23505' }) })],
      ['Sequelize, by the driver alone', named('SequelizeDatabaseError', { original: shaped({ code: '22P02' }) })],
      ['TypeORM', named('QueryFailedError', { driverError: shaped({ code: 'SQLITE_CONSTRAINT' }) })],
      ['TypeORM, an absent row', named('EntityNotFoundError')],
      ['MikroORM', named('UniqueConstraintViolationException', { code: 'ER_DUP_ENTRY', sqlState: '23000' })],
      ['Drizzle', named('DrizzleQueryError', { cause: shaped({ code: '23505' }) })],
      ['Knex over SQLite', shaped({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' })],
      ['MySQL, a check constraint', shaped({ code: 'ER_CHECK_CONSTRAINT_VIOLATED', errno: 3819, sqlState: 'HY000' })],
      ['SQL Server', named('RequestError', { code: 'EREQUEST', number: 2627 })],
      ['SQLite, a wrong statement', shaped({ code: 'SQLITE_ERROR', message: 'no such table: orders' })],
      [
        'sqlite3, a wrong statement',
        shaped({ code: 'SQLITE_ERROR', message: 'SQLITE_ERROR: near "SELEC": syntax error' }),
      ],
      [
        'node:sqlite, a wrong statement',
        shaped({ code: 'ERR_SQLITE_ERROR', errcode: 1, message: 'no such column: x' }),
      ],
      [
        'Prisma 7, a raw query',
        prisma('P2010', { driverAdapterError: adapted({ kind: 'postgres', originalCode: '22012' }) }),
      ],
      [
        'Prisma 7, what has no name',
        prisma('P2039', { driverAdapterError: adapted({ kind: 'mysql', code: 1292, state: '22007' }) }),
      ],
      ["Prisma's adapter", adapted({ kind: 'UniqueConstraintViolation', originalCode: '1062' })],
      ['MikroORM, an absent row', named('NotFoundError')],
      ['TypeORM, a row that another has changed', named('OptimisticLockVersionMismatchError')],
      ['ioredis, a wrong type', named('ReplyError', { message: 'WRONGTYPE Operation against a key' })],
      ['redis, a wrong type', new SimpleError('WRONGTYPE Operation against a key')],
      ['a job queue over Redis', new Error('job failed', { cause: new SimpleError('ERR syntax error') })],
      [
        'one five layers deep',
        [1, 2, 3, 4, 5].reduce<Error>((cause) => new Error('', { cause }), shaped({ code: '23505' })),
      ],
    ])('says answered: %s', (_what, error) => {
      expect(judged(error)).toEqual({ kind: 'answered', repeatable: false });
    });

    it.each<[string, Error]>([
      ['SQLite, busy', shaped({ code: 'SQLITE_BUSY', errno: 5 })],
      ['SQLite, a failing disk', shaped({ code: 'SQLITE_IOERR_WRITE' })],
      ['node:sqlite, busy', shaped({ code: 'ERR_SQLITE_ERROR', errcode: 5 })],
      ['MongoDB, not the primary', named('MongoServerError', { code: 10107 })],
      ['MongoDB, no server', named('MongoServerSelectionError')],
      ['a number that MongoDB did not say', shaped({ code: 11000 })],
      ['Prisma, no connection came free', prisma('P2024')],
      ['Prisma, a deadlock', prisma('P2034')],
      ['Prisma, too many connections', prisma('P2037')],
      ['Prisma, the server is away', named('PrismaClientInitializationError', { errorCode: 'P1001' })],
      ['Prisma, a raw query that lost its connection', prisma('P2010', { code: '08006' })],
      [
        'Sequelize, a refused connection',
        named('SequelizeConnectionRefusedError', { parent: shaped({ code: 'ECONNREFUSED' }) }),
      ],
      ['TypeORM, a deadlock', named('QueryFailedError', { driverError: shaped({ code: '40P01' }) })],
      ['MySQL, a deadlock', shaped({ code: 'ER_LOCK_DEADLOCK', errno: 1213, sqlState: '40001' })],
      ['SQL Server, a deadlock', named('RequestError', { code: 'EREQUEST', number: 1205 })],
      [
        'MySQL, a connection too many of a user',
        shaped({ code: 'ER_USER_LIMIT_REACHED', errno: 1226, sqlState: '42000' }),
      ],
      ['SQLite, an error without a word', shaped({ code: 'SQLITE_ERROR', message: 'SQL logic error' })],
      ['Prisma 7, a lost connection', prisma('P2010', { driverAdapterError: adapted({ kind: 'ConnectionClosed' }) })],
      ["Prisma's adapter, a deadlock", adapted({ kind: 'TransactionWriteConflict', originalCode: '40P01' })],
      ["Prisma's adapter, a connection too many", adapted({ kind: 'mysql', code: 1226, state: '42000' })],
      ['Redis', named('ReplyError')],
      ['Redis, a full memory', named('ReplyError', { message: 'OOM command not allowed' })],
      ['Redis, a replica', new SimpleError("READONLY You can't write against a read only replica.")],
      ["what Redis says, in another's error", new Error('WRONGTYPE Operation against a key')],
      [
        'one six layers deep',
        [1, 2, 3, 4, 5, 6].reduce<Error>((cause) => new Error('', { cause }), shaped({ code: '23505' })),
      ],
    ])('says failure: %s', (_what, error) => {
      expect(judged(error).kind).toBe('failure');
    });

    it('goes by the status, when an error has both', () => {
      expect(judged(new HttpException('down', 503, { cause: shaped({ code: '23505' }) })).kind).toBe('failure');
    });
  });

  describe('of what time cut', () => {
    it('says failure, repeatable: a TimeoutException, aborted or not', () => {
      const error = new TimeoutException(init);

      expect(judged(error)).toEqual({ kind: 'failure', repeatable: true });
      expect(judge(error, true, error)).toEqual({ kind: 'failure', repeatable: true });
    });

    it('says failure: a DOMException TimeoutError, which AbortSignal.timeout() gives', () => {
      const error = new DOMException('too slow', 'TimeoutError');

      expect(judged(error).kind).toBe('failure');
      expect(judge(error, true, error).kind).toBe('failure');
    });

    it.each([
      ['a TimeoutException', new TimeoutException(init)],
      ['a DOMException TimeoutError', new DOMException('too slow', 'TimeoutError')],
    ])("says failure, whatever the method rejects with, when the signal's reason is %s", (_what, reason) => {
      expect(judge(new DOMException('aborted', 'AbortError'), true, reason).kind).toBe('failure');
      expect(judge(new Error('canceled'), true, reason).kind).toBe('failure');
    });

    it('says refused: a timeout in the queue', () => {
      expect(judged(new TimeoutException({ ...init, queued: true }))).toEqual({ kind: 'refused', repeatable: false });
    });
  });

  describe("of the caller's abort", () => {
    it("says aborted: the signal's reason, whatever it is", () => {
      for (const reason of [new DOMException('aborted', 'AbortError'), 'gone', undefined, new NotFoundException()]) {
        expect(judge(reason, true, reason)).toEqual({ kind: 'aborted', repeatable: false });
      }
    });

    it('says aborted: an AbortError of the client that was handed the signal', () => {
      const error = Object.assign(new Error('This operation was aborted'), { name: 'AbortError' });

      expect(judge(error, true, 'gone').kind).toBe('aborted');
    });

    it.each(['CanceledError', 'CancelError'])('says aborted: a %s, as axios and got call it', (name) => {
      expect(judge(Object.assign(new Error('canceled'), { name }), true, 'gone').kind).toBe('aborted');
    });

    it('says aborted: an AbortError by its class alone, as node-redis has it', () => {
      class AbortError extends Error {}

      expect(judge(new AbortError('The command was aborted'), true, 'gone').kind).toBe('aborted');
    });

    it("says failure: an AbortError of the method's own, when nobody aborted the call", () => {
      expect(judged(new DOMException('aborted', 'AbortError')).kind).toBe('failure');
    });
  });

  describe('of a call that was cut by the end of a shutdown', () => {
    const cut = new ShutdownException({ ...init, running: true });

    it.each([
      ['the reason itself', cut],
      ['an AbortError', Object.assign(new Error('aborted'), { name: 'AbortError' })],
      ['what its client makes of that', new Error('socket closed')],
      ['a status', new NotFoundException()],
    ])('says aborted: %s', (_what, error) => {
      expect(judge(error, true, cut)).toEqual({ kind: 'aborted', repeatable: false });
    });

    it('says aborted further out, where nothing was cut', () => {
      expect(judged(cut)).toEqual({ kind: 'aborted', repeatable: false });
    });
  });

  describe('of a refusal, known by its class', () => {
    it.each([
      ['circuit breaker', new CircuitOpenException(init)],
      ['bulkhead', new BulkheadFullException(init)],
      ['rate limit', new RateLimitExceededException(init)],
      ['shutdown', new ShutdownException(init)],
    ])('says refused: %s', (_what, error) => {
      expect(judged(error)).toEqual({ kind: 'refused', repeatable: false });
      expect(judge(error, true, error)).toEqual({ kind: 'refused', repeatable: false });
    });

    it('says failure: a 503 and a 429 that a dependency sent, with the same body', () => {
      const sent = new CircuitOpenException(init);

      expect(judged(shaped({ status: 503, response: sent.getResponse() })).kind).toBe('failure');
      expect(judged(new HttpException('slow down', 429)).kind).toBe('failure');
    });
  });
});
