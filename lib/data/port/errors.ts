import { HttpException } from '@nestjs/common';

/** Stable, machine-readable reasons; they do not change between versions. */
export type DataErrorCode =
  | 'DATA_CONFLICT'
  | 'DATA_FENCED'
  | 'DATA_INVALID_KEY'
  | 'DATA_INVALID_VALUE'
  | 'DATA_CLOSED'
  | 'DATA_OWNED'
  | 'DATA_DAMAGED'
  | 'DATA_WRITE_FAILED'
  | 'DATA_UNAVAILABLE'
  | 'DATA_ACCESS_DENIED'
  | 'DATA_READ_ONLY'
  | 'DATA_REJECTED'
  | 'DATA_DRIVER_MISSING';

/** HTTP status, and its standard phrase, of each code. */
const STATUS = {
  DATA_CONFLICT: [409, 'Conflict'],
  DATA_FENCED: [409, 'Conflict'],
  DATA_INVALID_KEY: [400, 'Bad Request'],
  DATA_INVALID_VALUE: [400, 'Bad Request'],
  DATA_CLOSED: [503, 'Service Unavailable'],
  DATA_OWNED: [503, 'Service Unavailable'],
  DATA_DAMAGED: [500, 'Internal Server Error'],
  DATA_WRITE_FAILED: [503, 'Service Unavailable'],
  DATA_UNAVAILABLE: [503, 'Service Unavailable'],
  DATA_ACCESS_DENIED: [500, 'Internal Server Error'],
  DATA_READ_ONLY: [503, 'Service Unavailable'],
  DATA_REJECTED: [422, 'Unprocessable Entity'],
  DATA_DRIVER_MISSING: [500, 'Internal Server Error'],
} as const satisfies Record<DataErrorCode, readonly [number, string]>;

/** When what is unavailable may be there again, in ms: nobody knows, so soon, but not at once. */
const RETRY_AFTER_MS = 1_000;

/** Node's hook for what `console.log` and loggers show of a value. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * The base of every error that a data service of ours raises. It is an `HttpException`, so a Nest app answers with the
 * right status without a filter; with `ResilienceExceptionFilter` also with `Retry-After`.
 *
 * What a client may see is its `message`, such as `Service Unavailable (DATA_UNAVAILABLE), retry after 1 s`, and the body
 * of the answer. What the operator needs is in `explanation` and `cause`, which are not enumerable, and in `stack` and
 * Node's inspection, since it names hosts, folders and keys.
 *
 * @publicApi
 */
export abstract class DataException extends HttpException {
  /** Why, as a stable code. */
  readonly code: DataErrorCode;
  /** When a new try can succeed, ms; undefined where it cannot, or nobody knows. */
  readonly retryAfterMs: number | undefined;
  readonly #explanation: string;

  constructor(code: DataErrorCode, explanation: string, options?: ErrorOptions) {
    const [status, phrase] = STATUS[code];
    super({ statusCode: status, message: phrase, errorCode: code }, status);
    this.name = new.target.name;
    this.code = code;
    this.retryAfterMs = status === 503 ? RETRY_AFTER_MS : undefined;
    this.#explanation = explanation;
    const frames = (this.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
    this.message = `${phrase} (${code})${status === 503 ? `, retry after ${RETRY_AFTER_MS / 1_000} s` : ''}`;
    this.stack = [`${this.name}: ${this.message}: ${explanation}`, ...frames].join('\n');
    if (options?.cause === undefined) return;
    // `HttpException` would keep it where serialisers look.
    Object.defineProperty(this, 'cause', {
      value: options.cause,
      enumerable: false,
      writable: true,
      configurable: true,
    });
  }

  /** What is wrong, with the place and what was expected. Not for answers. */
  get explanation(): string {
    return #explanation in this ? this.#explanation : '';
  }

  /** The body of the answer: whatever serialises the error publishes no more. */
  toJSON(): object {
    return this.getResponse() as object;
  }

  /** @internal */
  [INSPECT](depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    const { stack = String(this), cause } = this;
    return cause === undefined || depth < 0 ? stack : `${stack} ${inspect({ cause }, { ...options, depth })}`;
  }
}

/** Kept where no serialiser looks: what it says is for the app, and not for its clients. */
function keepInside(error: DataException, facts: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(facts)) {
    Object.defineProperty(error, name, { value, enumerable: false, writable: false, configurable: true });
  }
}

/**
 * The key's version is not the one that `put` was told to expect: somebody else wrote it. Read it again and decide.
 *
 * @publicApi
 */
export class DataConflictException extends DataException {
  declare readonly key: string;
  /** What `ifVersion` said; null: the key was to be absent. */
  declare readonly expectedVersion: string | null;

  constructor(key: string, expectedVersion: string | null) {
    const expected = expectedVersion === null ? 'expected to be absent' : `expected at version ${expectedVersion}`;
    super('DATA_CONFLICT', `The data key ${JSON.stringify(key)} was ${expected}, but was written or deleted meanwhile`);
    keepInside(this, { key, expectedVersion });
  }
}

/**
 * A key or prefix that no backend could keep.
 *
 * @publicApi
 */
export class DataKeyException extends DataException {
  constructor(explanation: string, options?: ErrorOptions) {
    super('DATA_INVALID_KEY', explanation, options);
  }
}

/**
 * A value that JSON cannot hold, or one that is too large.
 *
 * @publicApi
 */
export class DataValueException extends DataException {
  /** Where in the value: `value.items[2].price`. */
  declare readonly path: string;

  constructor(message: string, path: string, options?: ErrorOptions) {
    super('DATA_INVALID_VALUE', message, options);
    keepInside(this, { path });
  }
}

/**
 * The service was closed before the call.
 *
 * @publicApi
 */
export class DataClosedException extends DataException {
  constructor(explanation: string, options?: ErrorOptions) {
    super('DATA_CLOSED', explanation, options);
  }
}

/**
 * Another service, here or in another process, owns the folder.
 *
 * @publicApi
 */
export class DataOwnedException extends DataException {
  constructor(explanation: string, options?: ErrorOptions) {
    super('DATA_OWNED', explanation, options);
  }
}

/**
 * A file holds what was never written there. Nothing was changed.
 *
 * @publicApi
 */
export class DataDamagedException extends DataException {
  declare readonly file: string;
  /** Where the damage begins, in bytes from the start of the file. */
  declare readonly offset: number;

  constructor(file: string, offset: number, problem: string) {
    super('DATA_DAMAGED', `${file} is damaged at offset ${offset}: ${problem}`);
    keepInside(this, { file, offset });
  }
}

/**
 * The write did not reach the disk; `cause` says why. The service goes on when the reason is gone.
 *
 * @publicApi
 */
export class DataWriteException extends DataException {
  constructor(explanation: string, options?: ErrorOptions) {
    super('DATA_WRITE_FAILED', explanation, options);
  }
}

/**
 * The backend cannot be used as it stands, or did not answer; `cause` says why, where there is one. The same call may
 * succeed later. A write may or may not have been applied.
 *
 * @publicApi
 */
export class DataUnavailableException extends DataException {
  constructor(explanation: string, options?: ErrorOptions) {
    super('DATA_UNAVAILABLE', explanation, options);
  }
}

/**
 * The backend does not let this service in: a wrong password, a database that is not there, missing rights, a path that
 * cannot be used; the message says which, and `cause` why. Waiting does not help, so it is no outage.
 *
 * @publicApi
 */
export class DataAccessException extends DataException {
  constructor(explanation: string, options?: ErrorOptions) {
    super('DATA_ACCESS_DENIED', explanation, options);
  }
}

/**
 * The database takes no writes: it is a replica, or was set to read only. Nothing was written.
 *
 * @publicApi
 */
export class DataReadOnlyException extends DataException {
  constructor(explanation: string, options?: ErrorOptions) {
    super('DATA_READ_ONLY', explanation, options);
  }
}

/**
 * The database refused this very write, and would refuse it again; `cause` says why. Nothing was written.
 *
 * @publicApi
 */
export class DataRejectedException extends DataException {
  constructor(explanation: string, options?: ErrorOptions) {
    super('DATA_REJECTED', explanation, options);
  }
}

/**
 * A package that the chosen backend needs is not installed; the message says which.
 *
 * @publicApi
 */
export class DataDriverMissingException extends DataException {
  constructor(explanation: string, options?: ErrorOptions) {
    super('DATA_DRIVER_MISSING', explanation, options);
  }
}
