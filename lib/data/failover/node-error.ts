import { judge } from '../../kernel/outcome/outcome.js';
import {
  DataAccessException,
  DataConflictException,
  DataKeyException,
  DataReadOnlyException,
  DataRejectedException,
  DataValueException,
} from '../port/errors.js';

/** Whether a node has answered by this error; everything else means that it could not do its work. */
export function isAnswer(error: unknown): boolean {
  return isReadOnly(error) || isPermanent(error);
}

/** Whether a node answered that it takes no writes: it is a standby, or was made read-only. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof DataReadOnlyException;
}

/** Whether a node has refused by this error what it would refuse again: waiting for better times does not help. */
export function isPermanent(error: unknown): boolean {
  return error instanceof DataAccessException || isRefusedWrite(error);
}

/** Whether a node has refused for good what it was to write, rather than the one who writes. */
export function isRefusedWrite(error: unknown): boolean {
  if (isReadOnly(error) || error instanceof DataAccessException) return false;
  return (
    error instanceof DataRejectedException ||
    error instanceof DataConflictException ||
    error instanceof DataKeyException ||
    error instanceof DataValueException ||
    judge(error, false, undefined).kind === 'answered'
  );
}
