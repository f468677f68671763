import { HttpException } from '@nestjs/common';

/** Stable, machine-readable reasons; they do not change between versions. */
export type ResilienceErrorCode = 'CIRCUIT_OPEN' | 'TIMEOUT' | 'BULKHEAD_FULL' | 'RATE_LIMITED' | 'SHUTDOWN';

/** What an error of ours carries besides its explanation. */
export interface ResilienceExceptionInit {
  /** The policy that decided, by its key in a policy set. */
  policy: string;
  /** The instance that decided: the name given to it, or `Class.method`. */
  instanceName: string;
  /** The explanation for logs: what was refused or cut, by which numbers. It is never sent to a client. */
  message: string;
  /** When a new try can succeed, ms from now. */
  retryAfterMs?: number | undefined;
  /** The numbers that decided. */
  details?: Readonly<Record<string, unknown>> | undefined;
  cause?: unknown;
}

interface Identity {
  code: ResilienceErrorCode;
  status: number;
  phrase: string;
}

/**
 * The base of every error that a policy raises. It is an `HttpException`, so a Nest app answers with the right status
 * without a filter; the body holds only the status, its standard phrase and {@link code}, since an explanation may
 * quote an upstream's error text.
 *
 * @publicApi
 */
export abstract class ResilienceException extends HttpException {
  /** Why, as a stable code. */
  readonly code: ResilienceErrorCode;
  /** The policy that decided: `circuitBreaker`, `timeout`, `bulkhead`, `rateLimit` or `retry`. */
  readonly policy: string;
  /** The instance that decided: the name given to it, or `Class.method`. */
  readonly instanceName: string;
  /** When a new try can succeed, ms from the moment of the refusal; undefined where nobody knows. */
  readonly retryAfterMs: number | undefined;
  /** The numbers that decided. */
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(identity: Identity, init: ResilienceExceptionInit) {
    super(
      { statusCode: identity.status, message: identity.phrase, errorCode: identity.code },
      identity.status,
      init.cause === undefined ? undefined : { cause: init.cause },
    );
    this.message = init.message;
    this.code = identity.code;
    this.policy = init.policy;
    this.instanceName = init.instanceName;
    this.retryAfterMs = init.retryAfterMs;
    this.details = init.details;
  }

  /**
   * Whether the call was turned away before the guarded method began. A refusal says nothing about the dependency:
   * no breaker counts it and nothing retries it.
   */
  get refusal(): boolean {
    return true;
  }
}

/** Whether `error` says that a policy of this process turned a call away before its method began. */
export function isRefusal(error: unknown): error is ResilienceException {
  return error instanceof ResilienceException && error.refusal;
}
