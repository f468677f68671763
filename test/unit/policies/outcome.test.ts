import { HttpException, NotFoundException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../lib/errors/bulkhead-full.exception.js';
import { CircuitOpenException } from '../../../lib/errors/circuit-open.exception.js';
import { RateLimitExceededException } from '../../../lib/errors/rate-limit-exceeded.exception.js';
import { ShutdownException } from '../../../lib/errors/shutdown.exception.js';
import { TimeoutException } from '../../../lib/errors/timeout.exception.js';
import { judge, statusOf } from '../../../lib/policies/outcome.js';

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

    it("says failure: an AbortError of the method's own, when nobody aborted the call", () => {
      expect(judged(new DOMException('aborted', 'AbortError')).kind).toBe('failure');
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
