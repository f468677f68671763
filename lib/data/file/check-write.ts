import { describeValue } from '../port/describe-value.js';
import { DataKeyException, DataValueException } from '../port/errors.js';
import { checkKey } from '../port/key.js';
import type { DataWrite } from '../port/replicable-data.service.js';
import { MAX_VALUE_BYTES } from '../port/value.js';
import { timeOfVersion } from '../port/version-clock.js';

/**
 * Checks a write that comes from another store: a record has room for a version of one form, and none for a longer text.
 *
 * @throws DataKeyException for the key or the version.
 * @throws DataValueException for the text.
 */
export function checkWrite({ key, text, version }: DataWrite): void {
  checkKey(key);
  checkVersion(key, version);
  if (text === undefined) return;
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_VALUE_BYTES) return;
  throw new DataValueException(
    `The text for the data key ${describeValue(key)} is ${bytes} bytes long; expected at most ${MAX_VALUE_BYTES}`,
    'value',
  );
}

function checkVersion(key: string, version: unknown): void {
  if (typeof version === 'string' && timeOfVersion(version) !== undefined) return;
  throw new DataKeyException(
    `The version for the data key ${describeValue(key)} is ${describeValue(version)}; ` +
      'expected 28 hexadecimal digits, as every store of this package gives them out',
  );
}
