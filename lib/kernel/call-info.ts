/**
 * What a handler, predicate or key function learns about the call it is asked about.
 *
 * @publicApi
 */
export interface CallInfo<T = unknown> {
  /** The class of the instance that was called. */
  readonly className: string;
  readonly methodName: string;
  readonly args: readonly unknown[];
  readonly instance: T;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** Aborts when the attempt is cut: by a time limit, its caller or shutdown; never because it ended. */
  readonly signal: AbortSignal;
  /** In an interceptor: the ExecutionContext of the request. */
  readonly context?: unknown;
}

/** The consumer of a stream has gone: nobody hears what becomes of the call. */
export class UnsubscribedError extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('the consumer of the stream has left');
  }
}

/** Another attempt of the same call has answered: nobody needs this one any more. */
export class FasterAttemptError extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('another attempt of the same call was faster');
  }
}
