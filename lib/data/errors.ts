/** Stable, machine-readable reasons; they do not change between versions. */
export type DataErrorCode =
  | 'DATA_CONFLICT'
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

/**
 * The base of every error that a data service of ours raises.
 *
 * @publicApi
 */
export abstract class DataException extends Error {
  /** Why, as a stable code. */
  abstract readonly code: DataErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/**
 * The key's version is not the one that `put` was told to expect: somebody else wrote it. Read it again and decide.
 *
 * @publicApi
 */
export class DataConflictException extends DataException {
  readonly code = 'DATA_CONFLICT';
  /** The backend answered, so a circuit breaker must not count this against it. */
  readonly status = 409;

  constructor(
    readonly key: string,
    /** What `ifVersion` said; null: the key was to be absent. */
    readonly expectedVersion: string | null,
  ) {
    const expected = expectedVersion === null ? 'expected to be absent' : `expected at version ${expectedVersion}`;
    super(`The data key ${JSON.stringify(key)} was ${expected}, but was written or deleted meanwhile`);
  }
}

/**
 * A key or prefix that no backend could keep.
 *
 * @publicApi
 */
export class DataKeyException extends DataException {
  readonly code = 'DATA_INVALID_KEY';
  /** The caller's mistake, so a circuit breaker must not count it against the backend. */
  readonly status = 400;
}

/**
 * A value that JSON cannot hold, or one that is too large.
 *
 * @publicApi
 */
export class DataValueException extends DataException {
  readonly code = 'DATA_INVALID_VALUE';
  /** The caller's mistake, so a circuit breaker must not count it against the backend. */
  readonly status = 400;

  constructor(
    message: string,
    /** Where in the value: `value.items[2].price`. */
    readonly path: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The service was closed before the call.
 *
 * @publicApi
 */
export class DataClosedException extends DataException {
  readonly code = 'DATA_CLOSED';
}

/**
 * Another service, here or in another process, owns the folder.
 *
 * @publicApi
 */
export class DataOwnedException extends DataException {
  readonly code = 'DATA_OWNED';
}

/**
 * A file holds what was never written there. Nothing was changed.
 *
 * @publicApi
 */
export class DataDamagedException extends DataException {
  readonly code = 'DATA_DAMAGED';

  constructor(
    readonly file: string,
    /** Where the damage begins, in bytes from the start of the file. */
    readonly offset: number,
    problem: string,
  ) {
    super(`${file} is damaged at offset ${offset}: ${problem}`);
  }
}

/**
 * The write did not reach the disk; `cause` says why. The service goes on when the reason is gone.
 *
 * @publicApi
 */
export class DataWriteException extends DataException {
  readonly code = 'DATA_WRITE_FAILED';
}

/**
 * The backend cannot be used as it stands, or did not answer; `cause` says why, where there is one. The same call may
 * succeed later. A write may or may not have been applied.
 *
 * @publicApi
 */
export class DataUnavailableException extends DataException {
  readonly code = 'DATA_UNAVAILABLE';
  /** A failure for a circuit breaker, and worth another try. */
  readonly status = 503;
}

/**
 * The backend does not let this service in: a wrong password, a database that is not there, missing rights, a path that
 * cannot be used; the message says which, and `cause` why. Waiting does not help, so it is no outage.
 *
 * @publicApi
 */
export class DataAccessException extends DataException {
  readonly code = 'DATA_ACCESS_DENIED';
}

/**
 * The database takes no writes: it is a replica, or was set to read only. Nothing was written.
 *
 * @publicApi
 */
export class DataReadOnlyException extends DataException {
  readonly code = 'DATA_READ_ONLY';
  /** A failure for a circuit breaker, and worth another try, since it may become the primary. */
  readonly status = 503;
}

/**
 * The database refused this very write, and would refuse it again; `cause` says why. Nothing was written.
 *
 * @publicApi
 */
export class DataRejectedException extends DataException {
  readonly code = 'DATA_REJECTED';
  /** The backend answered, so a circuit breaker must not count this against it. */
  readonly status = 422;
}

/**
 * A package that the chosen backend needs is not installed; the message says which.
 *
 * @publicApi
 */
export class DataDriverMissingException extends DataException {
  readonly code = 'DATA_DRIVER_MISSING';
}
