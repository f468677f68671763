import { HttpException } from '@nestjs/common';
import { instanceOf, propertyOf } from './foreign.js';

/** Stable, machine-readable reasons; they do not change between versions. */
export type ResilienceErrorCode =
  'CIRCUIT_OPEN' | 'TIMEOUT' | 'BULKHEAD_FULL' | 'RATE_LIMITED' | 'CALL_THROTTLED' | 'SHUTDOWN';

/** What an error of ours carries besides what is public of it. */
export interface ResilienceExceptionInit {
  /** The policy that decided, by its key in a policy set. */
  policy: string;
  /** The instance that decided: the name given to it, or `Class.method`. */
  instanceName: string;
  /** The {@link ResilienceException.explanation}: what was refused or cut, by which numbers. It is never sent to a client. */
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

/** Node's hook for what `console.log` and loggers show of a value. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');
/** A cause may lead back to the error: whoever asks for all of it gets this many levels. */
const MAX_INSPECT_DEPTH = 10;

/** Without a limit nothing is captured at all, which is faster than a capture of no frames. */
const V8: { stackTraceLimit: number | undefined } = Error;

interface InspectOptions {
  depth?: number | null | undefined;
}

/**
 * The base of every error that a policy raises. It is an `HttpException`, so a Nest app answers with the right status
 * without a filter.
 *
 * What a client may see is its `message`, such as `Service Unavailable (CIRCUIT_OPEN), retry after 12 s`, and the body
 * of the answer, which `getResponse()` and `toJSON()` give. What the operator needs is for logs alone, since it names
 * parts of the app and may quote an upstream: `explanation`, `details`, `cause` and `instanceName` are not enumerable,
 * and `stack` and Node's inspection show them.
 *
 * @example
 * catch (error) {
 *   if (error instanceof ResilienceException) this.logger.warn(error.explanation);
 *   throw error;
 * }
 *
 * @publicApi
 */
export abstract class ResilienceException extends HttpException {
  /** Why, as a stable code. */
  readonly code: ResilienceErrorCode;
  /** The policy that decided: `circuitBreaker`, `timeout`, `bulkhead`, `rateLimit` or `retry`. */
  readonly policy: string;
  /** When a new try can succeed, ms from the moment of the refusal; undefined where nobody knows. */
  readonly retryAfterMs: number | undefined;
  readonly #inside: ResilienceExceptionInit;

  constructor(identity: Identity, init: ResilienceExceptionInit) {
    // Where it was made says nothing: in a policy, or in a timer. Refusals come in great numbers, and a captured stack
    // would be most of their cost.
    const { stackTraceLimit } = V8;
    V8.stackTraceLimit = undefined;
    super({ statusCode: identity.status, message: identity.phrase, errorCode: identity.code }, identity.status);
    V8.stackTraceLimit = stackTraceLimit;
    const { code, phrase } = identity;
    const { message: explanation, retryAfterMs } = init;
    this.code = code;
    this.policy = init.policy;
    this.retryAfterMs = retryAfterMs;
    this.#inside = init;
    this.message =
      retryAfterMs === undefined
        ? `${phrase} (${code})`
        : `${phrase} (${code}), retry after ${wholeSeconds(retryAfterMs)} s`;
    this.stack = `${this.name}: ${this.message}: ${explanation}`;
    if (init.cause !== undefined) {
      // `HttpException` would keep it where serialisers look, twice.
      Object.defineProperty(this, 'cause', {
        value: init.cause,
        enumerable: false,
        writable: true,
        configurable: true,
      });
    }
  }

  /** Why, for logs: what was refused or cut, by which numbers, and the last error. Not for answers. */
  get explanation(): string {
    return ResilienceException.#insideOf(this)?.message ?? '';
  }

  /** The instance that decided: the name given to it, or `Class.method`. Not for answers. */
  get instanceName(): string {
    return ResilienceException.#insideOf(this)?.instanceName ?? '';
  }

  /** The numbers that decided, and the last error's text. Not for answers. */
  get details(): Readonly<Record<string, unknown>> | undefined {
    return ResilienceException.#insideOf(this)?.details;
  }

  /**
   * Whether the call was turned away before the guarded method began. A refusal says nothing about the dependency:
   * no breaker counts it and nothing retries it.
   */
  get refusal(): boolean {
    return true;
  }

  /** The body of the answer: whatever serialises the error publishes no more. */
  toJSON(): object {
    return this.getResponse() as object;
  }

  /** @internal */
  [INSPECT](
    depth: number,
    options: InspectOptions,
    inspect: (value: unknown, options: InspectOptions) => string,
  ): string {
    const { stack = String(this) } = this;
    if (depth < 0) return `[${stack}]`;
    const { policy, instanceName, retryAfterMs, details, cause } = this;
    const facts = { policy, instanceName, retryAfterMs, details, cause };
    const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
    const left = Math.min(options.depth ?? MAX_INSPECT_DEPTH, MAX_INSPECT_DEPTH);
    return `${stack} ${inspect(known, { ...options, depth: left - 1 })}`;
  }

  /** What stands before the error, such as a proxy, has no private fields. */
  static #insideOf(error: ResilienceException): ResilienceExceptionInit | undefined {
    return #inside in error ? error.#inside : undefined;
  }
}

/** What `Retry-After` says: whole seconds, rounded up, at least 1. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}

/** Whether `error` says that a policy of this process turned a call away before its method began. */
export function isRefusal(error: unknown): error is ResilienceException {
  return instanceOf(error, ResilienceException) && propertyOf(error, 'refusal') === true;
}
