import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { throwError } from 'rxjs';
import { DataException } from '../data/port/errors.js';
import { instanceOf } from '../errors/foreign.js';
import { ResilienceException, wholeSeconds, type ResilienceErrorCode } from '../errors/resilience.exception.js';

/** @see https://grpc.io/docs/guides/status-codes/ DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE */
const GRPC_CODES: Readonly<Record<ResilienceErrorCode, number>> = {
  TIMEOUT: 4,
  BULKHEAD_FULL: 8,
  RATE_LIMITED: 8,
  CALL_THROTTLED: 14,
  CIRCUIT_OPEN: 14,
  SHUTDOWN: 14,
};

/** INVALID_ARGUMENT, ABORTED, FAILED_PRECONDITION, UNAVAILABLE, of the HTTP status; INTERNAL for all others. */
const GRPC_CODES_BY_STATUS: Readonly<Record<number, number>> = { 400: 3, 409: 10, 422: 9, 503: 14 };
const GRPC_INTERNAL = 13;

/** What says of itself what a client may know. */
type PublicException = ResilienceException | DataException;

interface HeaderTarget {
  headersSent?: boolean;
  setHeader?(name: string, value: string): unknown;
  header?(name: string, value: string): unknown;
}

/**
 * Adds `Retry-After` to the answer for an error that knows when a new try can succeed: whole seconds, rounded up, at
 * least 1. For an app's own catch-all filter; other errors and transports are left alone.
 *
 * @publicApi
 */
export function setRetryAfter(error: unknown, host: ArgumentsHost): void {
  if (!isOurs(error) || error.retryAfterMs === undefined || host.getType() !== 'http') return;
  const response = host.switchToHttp().getResponse<HeaderTarget>();
  if (response.headersSent === true) return;
  const seconds = String(wholeSeconds(error.retryAfterMs));
  if (typeof response.header === 'function') response.header('Retry-After', seconds);
  else response.setHeader?.('Retry-After', seconds);
}

/**
 * Answers for the errors of policies in the language of each transport: over HTTP with `Retry-After`, in RPC as
 * `{ status: 'error', code, message, retryAfterMs }` (gRPC: its numeric code), over WebSocket as an `exception` event, in
 * GraphQL with `code` and `retryAfterMs` as extensions.
 *
 * @publicApi
 */
@Catch(ResilienceException, DataException)
export class ResilienceExceptionFilter
  extends BaseExceptionFilter<PublicException>
  implements ExceptionFilter<PublicException>
{
  override catch(error: PublicException, host: ArgumentsHost): unknown {
    switch (host.getType<string>()) {
      case 'http':
        setRetryAfter(error, host);
        super.catch(error, host);
        return undefined;
      case 'rpc':
        return throwError(() =>
          isGrpc(host) ? { code: grpcCodeOf(error), message: phraseOf(error) } : payloadOf(error),
        );
      case 'ws':
        emitException(host.switchToWs().getClient(), payloadOf(error));
        return undefined;
      case 'graphql':
        throw graphqlErrorOf(error);
      default:
        // Others report what is thrown.
        throw error;
    }
  }
}

function isOurs(error: unknown): error is PublicException {
  return instanceOf(error, ResilienceException) || instanceOf(error, DataException);
}

function grpcCodeOf(error: PublicException): number {
  if (instanceOf(error, ResilienceException)) return GRPC_CODES[error.code];
  return GRPC_CODES_BY_STATUS[error.getStatus()] ?? GRPC_INTERNAL;
}

/** The explanation stays inside: it may quote an upstream. */
function phraseOf(error: PublicException): string {
  return (error.getResponse() as { message: string }).message;
}

function payloadOf(error: PublicException): Record<string, unknown> {
  const { code, retryAfterMs } = error;
  return { status: 'error', code, message: phraseOf(error), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/**
 * GraphQL publishes the `extensions` of an error. Apollo's driver gives an HttpException a code of its own, so this is none;
 * the app's `formatError` finds that in `cause`.
 *
 * @see https://spec.graphql.org/October2021/#sec-Errors.Error-result-format
 */
function graphqlErrorOf(error: PublicException): Error {
  const { code, retryAfterMs } = error;
  const extensions = { code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return Object.assign(new Error(error.message, { cause: error }), { extensions });
}

/** A gRPC handler gets the message, its Metadata and the call. */
function isGrpc(host: ArgumentsHost): boolean {
  const metadata = host.getArgByIndex<{ getMap?: unknown } | undefined>(1);
  return typeof metadata?.getMap === 'function';
}

interface WsClient {
  readyState?: unknown;
  send?(data: string): void;
  emit?(event: string, data: unknown): void;
}

/** A native WebSocket has a numeric `readyState`, and its `emit` speaks to itself only. */
function emitException(client: WsClient, data: unknown): void {
  if (typeof client.readyState === 'number') client.send?.(JSON.stringify({ event: 'exception', data }));
  else client.emit?.('exception', data);
}
