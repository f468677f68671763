import { TimeoutException } from '../errors/timeout.exception.js';
import { instanceOf, invoke } from '../errors/foreign.js';
import { isRefusal } from '../errors/resilience.exception.js';

/**
 * What an error says about the dependency:
 * - `failure`: it did not do its work;
 * - `answered`: it worked and said no (another 4xx, a violated constraint);
 * - `refused`: a policy of this process turned the call away;
 * - `aborted`: the caller no longer wants an answer.
 */
export type ErrorKind = 'failure' | 'answered' | 'refused' | 'aborted';

/** An error's kind, and whether a repetition may help. */
export interface Judgement {
  readonly kind: ErrorKind;
  readonly repeatable: boolean;
}

const FAILURE: Judgement = { kind: 'failure', repeatable: true };
const HOPELESS: Judgement = { kind: 'failure', repeatable: false };
const ANSWERED: Judgement = { kind: 'answered', repeatable: false };
const REFUSED: Judgement = { kind: 'refused', repeatable: false };
const ABORTED: Judgement = { kind: 'aborted', repeatable: false };

/** 408 Request Timeout, 425 Too Early, 429 Too Many Requests: the 4xx that ask for another try later. */
const FAILED_4XX = new Set([408, 425, 429]);
/** 501 Not Implemented, 505 HTTP Version Not Supported: these stay as they are. */
const PERMANENT_5XX = new Set([501, 505]);

const GRPC_CANCELLED = 1;
const GRPC_UNKNOWN = 2;
/** UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const GRPC_FAILED = new Set([GRPC_UNKNOWN, 4, 8, 13, 14, 15]);

/** Data exception, integrity violation, syntax error or access rule: the database worked. */
const SQLSTATE_ANSWERED = /^(?:22|23|42)[0-9A-Z]{3}$/;

/**
 * The one place that says what an error means; breaker, retry, fallback and filters all ask here.
 *
 * @param aborted whether the call was cut from outside or by time.
 * @param reason why it was cut.
 */
export function judge(error: unknown, aborted: boolean, reason: unknown): Judgement {
  try {
    return read(error, aborted, reason);
  } catch {
    // An error whose properties cannot be read says nothing more than that something failed.
    return FAILURE;
  }
}

function read(error: unknown, aborted: boolean, reason: unknown): Judgement {
  if (isRefusal(error)) return REFUSED;
  if (isTimeout(error)) return FAILURE;
  if (aborted) {
    if (isTimeout(reason)) return FAILURE;
    if (error === reason || isAbortError(error)) return ABORTED;
  }
  if (typeof error !== 'object' || error === null) return FAILURE;
  const grpc = grpcCodeOf(error);
  if (grpc !== undefined) {
    if (grpc === GRPC_CANCELLED) return ABORTED;
    return GRPC_FAILED.has(grpc) ? (grpc === GRPC_UNKNOWN ? HOPELESS : FAILURE) : ANSWERED;
  }
  const status = statusOf(error);
  if (status !== undefined) {
    if (status < 500) return FAILED_4XX.has(status) ? FAILURE : ANSWERED;
    return PERMANENT_5XX.has(status) ? HOPELESS : FAILURE;
  }
  return hasAnsweredSqlState(error) ? ANSWERED : FAILURE;
}

function isTimeout(error: unknown): boolean {
  return instanceOf(error, TimeoutException) || (instanceOf(error, DOMException) && error.name === 'TimeoutError');
}

function isAbortError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { name?: unknown }).name === 'AbortError';
}

/** The code of a gRPC status: a number beside `details` and `metadata`, as grpc-js builds its errors. */
function grpcCodeOf(error: object): number | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' && 'details' in error && 'metadata' in error ? code : undefined;
}

/** The HTTP status that `error` carries, in the shapes that the clients of the field use; integers 400-599 only. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const shape = error as Shape;
  return (
    asStatus(invoke(shape, 'getStatus')) ??
    asStatus(shape.status) ??
    asStatus(shape.statusCode) ??
    asStatus(shape.response?.status) ??
    asStatus(shape.response?.statusCode) ??
    asStatus(shape.$metadata?.httpStatusCode) ??
    statusOfRpcError(shape)
  );
}

interface Shape {
  status?: unknown;
  statusCode?: unknown;
  response?: { status?: unknown; statusCode?: unknown } | null;
  $metadata?: { httpStatusCode?: unknown } | null;
}

/** An RpcException holds what was thrown remotely: a status, or an object with one. */
function statusOfRpcError(shape: Shape): number | undefined {
  const inner = invoke(shape, 'getError');
  if (typeof inner !== 'object' || inner === null) return asStatus(inner);
  const { status, statusCode } = inner as Shape;
  return asStatus(status) ?? asStatus(statusCode);
}

function asStatus(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 400 && value <= 599 ? value : undefined;
}

/** pg has the SQLSTATE in `code`, mysql2 in `sqlState`; query builders pass on the driver's error as `cause`. */
function hasAnsweredSqlState(error: object): boolean {
  const { code, sqlState, cause } = error as { code?: unknown; sqlState?: unknown; cause?: unknown };
  if (isAnsweredSqlState(sqlState) || isAnsweredSqlState(code)) return true;
  if (typeof cause !== 'object' || cause === null) return false;
  const inner = cause as { code?: unknown; sqlState?: unknown };
  return isAnsweredSqlState(inner.sqlState) || isAnsweredSqlState(inner.code);
}

function isAnsweredSqlState(value: unknown): boolean {
  return typeof value === 'string' && SQLSTATE_ANSWERED.test(value);
}
