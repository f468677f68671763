import {
  DataAccessException,
  DataException,
  DataReadOnlyException,
  DataRejectedException,
  DataUnavailableException,
} from '../../port/errors.js';

import { textOf } from '../../port/error-text.js';

/** What this very write violates: a constraint, a type, a limit. */
const REJECTED = /^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG)/;

/** A path that cannot be opened, is no database, or may not be used. */
const DENIED = /^SQLITE_(?:CANTOPEN|NOTADB|PERM|AUTH)/;

/** An error of the driver as the callers of a data service get it. */
export function fromSqliteError(cause: unknown): DataException {
  if (cause instanceof DataException) return cause;
  const code = codeOf(cause);
  const message = `The SQLite database failed: ${textOf(cause)} (${code})`;
  if (code.startsWith('SQLITE_READONLY')) return new DataReadOnlyException(message, { cause });
  if (DENIED.test(code)) return new DataAccessException(message, { cause });
  if (REJECTED.test(code)) return new DataRejectedException(message, { cause });
  return new DataUnavailableException(message, { cause });
}

/** Whether a query was refused, without any effect, because another connection writes. */
export function isLocked(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY');
}

function codeOf(error: unknown): string {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' ? code : 'no code';
}
