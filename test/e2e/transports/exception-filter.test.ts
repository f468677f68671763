import type { ArgumentsHost } from '@nestjs/common';
import {
  BulkheadFullException,
  CircuitOpenException,
  RateLimitExceededException,
  ResilienceException,
  ResilienceExceptionFilter,
  setRetryAfter,
  ShutdownException,
  TimeoutException,
} from 'nestjs-bulwark';
import { firstValueFrom, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { rejection } from '../support/harness.js';

const init = { policy: 'test', instanceName: 'Test.test', message: 'password=secret' };

/** A host as Nest hands it to filters, of a transport. */
function hostOf(type: string, args: unknown[]): ArgumentsHost {
  const at = (index: number) => () => args[index];
  return {
    getType: () => type,
    getArgs: () => args,
    getArgByIndex: (index: number) => args[index],
    switchToHttp: () => ({ getRequest: at(0), getResponse: at(1), getNext: at(2) }),
    switchToRpc: () => ({ getData: at(0), getContext: at(1) }),
    switchToWs: () => ({ getClient: at(0), getData: at(1), getPattern: at(2) }),
  } as unknown as ArgumentsHost;
}

/** What @grpc/grpc-js hands to a handler: the message, its Metadata and the call. */
const grpcArgs = (): unknown[] => [
  { id: 1 },
  { getMap: () => ({}), get: () => [], set: () => undefined },
  { metadata: {}, sendMetadata: () => undefined, cancelled: false },
];

const catchAs = (type: string, args: unknown[], error: ResilienceException): unknown =>
  new ResilienceExceptionFilter().catch(error, hostOf(type, args));

describe('ResilienceExceptionFilter', () => {
  it.each<[string, number, ResilienceException]>([
    ['TIMEOUT', 4, new TimeoutException(init)],
    ['BULKHEAD_FULL', 8, new BulkheadFullException(init)],
    ['RATE_LIMITED', 8, new RateLimitExceededException(init)],
    ['CIRCUIT_OPEN', 14, new CircuitOpenException(init)],
    ['SHUTDOWN', 14, new ShutdownException(init)],
  ])('gives the numeric code of gRPC, when the error is %s', async (_, code, error) => {
    const answer = catchAs('rpc', grpcArgs(), error) as Observable<never>;

    const thrown = await rejection(firstValueFrom(answer));

    expect(thrown.code).toBe(code);
    expect(JSON.stringify(thrown)).not.toContain('secret');
  });

  it('gives the payload of the contract, when another RPC transport asks', async () => {
    const error = new CircuitOpenException({ ...init, retryAfterMs: 1_500 });

    const thrown = await rejection(firstValueFrom(catchAs('rpc', [{}, {}], error) as Observable<never>));

    expect(thrown).toEqual({
      status: 'error',
      code: 'CIRCUIT_OPEN',
      message: 'Service Unavailable',
      retryAfterMs: 1_500,
    });
  });

  it('emits the exception event, when the client is one of socket.io', () => {
    const emitted: unknown[] = [];
    const client = { emit: (...args: unknown[]) => emitted.push(args) };

    catchAs('ws', [client, {}], new TimeoutException(init));

    expect(emitted).toEqual([['exception', { status: 'error', code: 'TIMEOUT', message: 'Gateway Timeout' }]]);
  });

  it('sends the exception event as JSON, when the client is a native WebSocket', () => {
    const sent: string[] = [];
    const client = { readyState: 1, send: (text: string) => sent.push(text), emit: () => false };

    catchAs('ws', [client, {}], new TimeoutException(init));

    expect(sent.map((text) => JSON.parse(text) as unknown)).toEqual([
      { event: 'exception', data: { status: 'error', code: 'TIMEOUT', message: 'Gateway Timeout' } },
    ]);
  });

  it('throws the error on, when the transport is one that reports what is thrown', () => {
    const error = new TimeoutException(init);

    expect(() => catchAs('necord', [{}, {}], error)).toThrow(error);
  });

  it('throws an error with the code and the time as extensions, and that of the library as its cause, in GraphQL', () => {
    const error = new CircuitOpenException({ ...init, retryAfterMs: 1_500 });
    let thrown: unknown;

    try {
      catchAs('graphql', [{}, {}, {}, {}], error);
    } catch (caught) {
      thrown = caught;
    }

    expect(thrown).not.toBeInstanceOf(ResilienceException);
    expect(thrown).toMatchObject({
      message: error.message,
      cause: error,
      extensions: { code: 'CIRCUIT_OPEN', retryAfterMs: 1_500 },
    });
    expect(JSON.stringify(thrown)).not.toContain('secret');
  });
});

describe('setRetryAfter', () => {
  function headersAfter(error: unknown, type = 'http', sent = false): string[][] {
    const headers: string[][] = [];
    const response = { headersSent: sent, setHeader: (...header: string[]) => headers.push(header) };
    setRetryAfter(error, hostOf(type, [{}, response]));
    return headers;
  }

  it.each([
    [0, '1'],
    [1, '1'],
    [999.5, '1'],
    [1_000, '1'],
    [1_000.1, '2'],
    [59_001, '60'],
  ])('sets whole seconds, when the error asks for %d ms', (retryAfterMs, seconds) => {
    expect(headersAfter(new CircuitOpenException({ ...init, retryAfterMs }))).toEqual([['Retry-After', seconds]]);
  });

  it.each<[string, unknown, string, boolean]>([
    ['the error knows no time', new CircuitOpenException(init), 'http', false],
    ['the error is not ours', new Error('other'), 'http', false],
    ['the error is undefined', undefined, 'http', false],
    ['the transport is not HTTP', new CircuitOpenException({ ...init, retryAfterMs: 1 }), 'rpc', false],
    ['the answer has been sent', new CircuitOpenException({ ...init, retryAfterMs: 1 }), 'http', true],
  ])('sets nothing, when %s', (_, error, type, sent) => {
    expect(headersAfter(error, type, sent)).toEqual([]);
  });
});

describe('the exceptions', () => {
  it.each<[ResilienceException, number, string]>([
    [new TimeoutException(init), 504, 'TIMEOUT'],
    [new BulkheadFullException(init), 503, 'BULKHEAD_FULL'],
    [new RateLimitExceededException(init), 429, 'RATE_LIMITED'],
    [new CircuitOpenException(init), 503, 'CIRCUIT_OPEN'],
    [new ShutdownException(init), 503, 'SHUTDOWN'],
  ])('keep their explanation out of the answer, when it is %s', (error, status, code) => {
    expect(error).toBeInstanceOf(ResilienceException);
    expect([error.getStatus(), error.code, error.explanation]).toEqual([status, code, 'password=secret']);
    expect(error.message).not.toContain('secret');
    expect(JSON.stringify(error.getResponse())).not.toContain('secret');
    expect([error.policy, error.instanceName]).toEqual(['test', 'Test.test']);
    expect(error.name).toBe(error.constructor.name);
  });

  it('keep their cause, when they have one', () => {
    const cause = new Error('the reason');

    expect(new CircuitOpenException({ ...init, cause }).cause).toBe(cause);
  });
});
