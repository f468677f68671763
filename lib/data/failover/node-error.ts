import { judge } from '../../policies/outcome.js';
import {
  DataConflictException,
  DataKeyException,
  DataReadOnlyException,
  DataRejectedException,
  DataValueException,
} from '../errors.js';

/** Whether a node has answered by this error; everything else means that it could not do its work. */
export function isAnswer(error: unknown): boolean {
  return isReadOnly(error) || isPermanent(error);
}

/** Whether a node answered that it takes no writes: it is a standby, or was made read-only. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof DataReadOnlyException;
}

/** Whether a node has refused by this error what it would refuse again. */
export function isPermanent(error: unknown): boolean {
  if (isReadOnly(error)) return false;
  return (
    error instanceof DataRejectedException ||
    error instanceof DataConflictException ||
    error instanceof DataKeyException ||
    error instanceof DataValueException ||
    judge(error, false, undefined).kind === 'answered'
  );
}
