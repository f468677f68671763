/* eslint-disable no-restricted-syntax -- it runs for each failure: shared reads cost several times what raw ones in one try do */
import { ShutdownException } from '../../errors/shutdown.exception.js';
import { TimeoutException } from '../../errors/timeout.exception.js';
import { constructorOf, propertyOf } from '../../errors/foreign.js';
import { ResilienceException } from '../../errors/resilience.exception.js';
import { asksForLater } from './outcome-aws.js';
import { isDatabaseAnswer } from './outcome-database.js';
import { statusOf } from './outcome-status.js';

/**
 * What an error says about the dependency:
 * - `failure`: it did not do its work;
 * - `answered`: it worked and said no (another 4xx, a violated constraint);
 * - `refused`: a policy of this process turned the call away;
 * - `aborted`: the caller no longer wants an answer, or the app is gone.
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

/** The `details.scope` of a time limit that came from outside the process: no breaker counts what it has cut. */
export const INCOMING = 'incoming';

const GRPC_CANCELLED = 1;
const GRPC_UNKNOWN = 2;
/** UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const GRPC_FAILED = new Set([GRPC_UNKNOWN, 4, 8, 13, 14, 15]);

/**
 * The one place that says what an error means; breaker, retry, fallback and filters all ask here.
 *
 * @param aborted whether the call was cut from outside or by time.
 * @param reason why it was cut.
 */
export function judge(error: unknown, aborted: boolean, reason: unknown): Judgement {
  try {
    return !aborted && isPlain(error) ? FAILURE : read(error, aborted, reason);
  } catch {
    // An error whose properties cannot be read says nothing more than that something failed.
    return FAILURE;
  }
}

/** Whether an error says nothing but that something failed, as most do: there is nothing to read in it. */
function isPlain(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || Object.getPrototypeOf(error) !== Error.prototype) return false;
  const { name, cause } = error as Error;
  if (name !== 'Error' || cause !== undefined) return false;
  // Whatever a client adds to an error can be enumerated.
  for (const _ in error) return false;
  return true;
}

/** Whether a time limit of ours has cut it. */
export function isTimeout(error: unknown): boolean {
  try {
    return error instanceof TimeoutException;
  } catch {
    return false;
  }
}

function read(error: unknown, aborted: boolean, reason: unknown): Judgement {
  const own = error instanceof ResilienceException ? judgeOwn(error) : undefined;
  if (own !== undefined) return own;
  if (isTimeoutError(error)) return FAILURE;
  if (aborted) {
    if (reason instanceof ResilienceException) {
      // What a shutdown has cut says nothing more, whatever its work makes of that.
      if (reason instanceof ShutdownException) return ABORTED;
      // A client that gives little time must not open a breaker for all.
      if (reason instanceof TimeoutException) return isIncoming(reason) ? ABORTED : FAILURE;
    }
    if (isTimeoutError(reason)) return FAILURE;
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
    if (status < 500) return FAILED_4XX.has(status) || asksForLater(error) ? FAILURE : ANSWERED;
    return PERMANENT_5XX.has(status) ? HOPELESS : FAILURE;
  }
  return isDatabaseAnswer(error) ? ANSWERED : FAILURE;
}

/** What an error of ours says; undefined where it is to be read as any other. */
function judgeOwn(error: ResilienceException): Judgement | undefined {
  if (error.refusal) return REFUSED;
  if (error instanceof ShutdownException) return ABORTED;
  if (error instanceof TimeoutException) return isIncoming(error) ? ABORTED : FAILURE;
  return undefined;
}

/** Whether the limit came from outside the process. */
function isIncoming({ details }: TimeoutException): boolean {
  return details?.scope === INCOMING;
}

/** That of `AbortSignal.timeout()`. */
function isTimeoutError(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    (error as { name?: unknown }).name === 'TimeoutError' &&
    error instanceof DOMException
  );
}

/** What clients reject with when their signal aborts: fetch, undici, Node, got and the AWS SDK; axios; older got. */
const ABORT_ERRORS: ReadonlySet<unknown> = new Set(['AbortError', 'CanceledError', 'CancelError']);

/** By its name, or by that of its class: node-redis leaves `name` as it is. */
function isAbortError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  return (
    ABORT_ERRORS.has((error as { name?: unknown }).name) || ABORT_ERRORS.has(propertyOf(constructorOf(error), 'name'))
  );
}

/** The code of a gRPC status: a number beside `details` and `metadata`, as grpc-js builds its errors. */
function grpcCodeOf(error: object): number | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' && 'details' in error && 'metadata' in error ? code : undefined;
}
