import { describeValue } from './describe-value.js';
import { DataKeyException } from './errors.js';

/**
 * Checks what a caller gave as `ifVersion`.
 *
 * @throws DataKeyException
 */
export function checkIfVersion(key: string, ifVersion: unknown): asserts ifVersion is string | null | undefined {
  if (ifVersion === undefined || ifVersion === null || typeof ifVersion === 'string') return;
  throw new DataKeyException(
    `ifVersion for the data key ${describeValue(key)} is ${describeValue(ifVersion)}; ` +
      'expected the version of an entry, or null for an absent key',
  );
}
