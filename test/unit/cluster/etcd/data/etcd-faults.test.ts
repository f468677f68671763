import {
  EtcdPermissionDeniedError,
  GRPCDeadlineExceededError,
  GRPCInvalidArgumentError,
  GRPCResourceExhastedError,
  GRPCUnavailableError,
} from 'etcd3';
import {
  DataAccessException,
  DataConflictException,
  DataRejectedException,
  DataUnavailableException,
  DataWriteException,
} from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import { asDataError, isOutage, isUnknown } from '../../../../../lib/cluster/etcd/data/etcd-faults.js';

const full = new GRPCResourceExhastedError('8 RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded');

describe('what etcd answers', () => {
  it.each([
    [new GRPCDeadlineExceededError('4 DEADLINE_EXCEEDED: Deadline exceeded'), true],
    [new GRPCUnavailableError('14 UNAVAILABLE: Connection dropped'), true],
    [new GRPCUnavailableError('14 UNAVAILABLE: etcdserver: request timed out'), true],
    [new GRPCUnavailableError('14 UNAVAILABLE: No connection established. Last error: ECONNREFUSED'), false],
    [new GRPCUnavailableError('14 UNAVAILABLE: Channel closed before call started'), false],
    [new GRPCResourceExhastedError('8 RESOURCE_EXHAUSTED: etcdserver: too many requests'), false],
  ])('%s: another member may do it; whether it is done already is unknown: %j', (error, unknown) => {
    expect(isOutage(error)).toBe(true);
    expect(isUnknown(error)).toBe(unknown);
  });

  it.each([full, new GRPCInvalidArgumentError('no'), new EtcdPermissionDeniedError('no'), new Error('other'), 'text'])(
    '%s: is what another member would answer, too',
    (error) => {
      expect(isOutage(error)).toBe(false);
      expect(isUnknown(error)).toBe(false);
    },
  );

  it.each([
    [full, DataWriteException],
    [new EtcdPermissionDeniedError('7 PERMISSION_DENIED: etcdserver: permission denied'), DataAccessException],
    [new GRPCInvalidArgumentError('3 INVALID_ARGUMENT: etcdserver: user name is empty'), DataAccessException],
    [new GRPCInvalidArgumentError('3 INVALID_ARGUMENT: etcdserver: request is too large'), DataRejectedException],
    [new GRPCUnavailableError('14 UNAVAILABLE: down'), DataUnavailableException],
  ])('%s: becomes an error of the data', (error, type) => {
    const translated = asDataError(error);

    expect(translated).toBeInstanceOf(type);
    expect(translated).toMatchObject({ cause: error });
  });

  it('stays what it is, where it is one already', () => {
    const conflict = new DataConflictException('a', null);

    expect(asDataError(conflict)).toBe(conflict);
    expect(asDataError('text')).toBe('text');
  });
});
