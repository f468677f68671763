import {
  EtcdAuthenticationFailedError,
  EtcdPermissionDeniedError,
  GRPCInvalidArgumentError,
  GRPCOutOfRangeError,
  GRPCUnauthenticatedError,
  isRecoverableError,
} from 'etcd3';
import { textOf } from '../../../data/port/error-text.js';
import {
  DataAccessException,
  DataException,
  DataRejectedException,
  DataUnavailableException,
  DataWriteException,
} from '../../../data/port/errors.js';
import { instanceOf } from '../../../errors/foreign.js';

/** Whether a member could not answer now: another one may. */
export function isOutage(error: unknown): boolean {
  return instanceOf(error, Error) && isRecoverableError(error) && !isOutOfSpace(error);
}

/** Whether etcd takes no writes until somebody makes room and takes the alarm back. */
export function isOutOfSpace(error: unknown): boolean {
  return textOf(error).includes('database space exceeded');
}

/** Whether a write that has failed so may have been applied, or may be so later. */
export function isUnknown(error: unknown): boolean {
  // The client's words for a request that has not left this machine, and the server's for one that it did not take.
  const refused = /No connection established|Channel closed before call started|etcdserver: too many requests/;
  return isOutage(error) && !refused.test(textOf(error));
}

/** Whether the revision that was asked for is not there: it was compacted, or the cluster was restored from a backup. */
export function isRevisionGone(error: unknown): boolean {
  return instanceOf(error, GRPCOutOfRangeError);
}

/** The error as callers of the service get it. */
export function asDataError(error: unknown): unknown {
  if (!instanceOf(error, Error) || instanceOf(error, DataException)) return error;
  const text = `etcd: ${textOf(error)}`;
  const options = { cause: error };
  if (isOutOfSpace(error)) {
    return new DataWriteException(
      `${text}; it takes no writes until its history is compacted, its members are defragmented or given a larger ` +
        '--quota-backend-bytes, and the alarm NOSPACE is taken back',
      options,
    );
  }
  if (isRefusedAccess(error)) return new DataAccessException(text, options);
  if (instanceOf(error, GRPCInvalidArgumentError)) return new DataRejectedException(text, options);
  return new DataUnavailableException(text, options);
}

const REFUSED_ACCESS = [EtcdAuthenticationFailedError, EtcdPermissionDeniedError, GRPCUnauthenticatedError];

function isRefusedAccess(error: Error): boolean {
  // The text is what etcd says to a client without a user, where it wants one.
  return (
    REFUSED_ACCESS.some((type) => instanceOf(error, type)) || error.message.includes('etcdserver: user name is empty')
  );
}
