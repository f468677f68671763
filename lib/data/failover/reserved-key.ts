import { DataKeyException } from '../port/errors.js';

/** Keys that begin with this are the failover service's own. */
export const RESERVED_PREFIX = '\u0001bulwark:';

/** The row by which the lag of replicas is measured. */
export const HEARTBEAT_KEY = `${RESERVED_PREFIX}heartbeat`;

export function isReserved(key: string): boolean {
  return key.startsWith(RESERVED_PREFIX);
}

/** @throws DataKeyException */
export function refuseReserved(key: string): void {
  if (!isReserved(key)) return;
  throw new DataKeyException(
    `The data key ${JSON.stringify(key)} is reserved; expected one that does not begin with ${JSON.stringify(RESERVED_PREFIX)}`,
  );
}
