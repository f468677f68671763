import { textOf } from '../../data/port/error-text.js';
import type { DataCallOptions } from '../../data/port/data-options.js';
import { checkKey } from '../../data/port/key.js';
import type { DataWrite, ReplicableDataService } from '../../data/port/replicable-data.service.js';
import { compareUtf8 } from '../../data/port/utf8-order.js';
import { MAX_VALUE_BYTES, parseValue } from '../../data/port/value.js';
import { timeOfVersion } from '../../data/port/version-clock.js';
import { formatBytes } from '../shell/format.js';

/** How to check. */
export interface CheckOptions extends DataCallOptions {
  readonly onWrite?: (write: DataWrite) => void;
  /** Hears of each key with something wrong, and of what. */
  readonly onFinding: (key: string, finding: string) => void;
}

/**
 * Reads all that a store holds, and checks what every store must keep to: keys that are valid and in byte order, values
 * that are JSON and not too large, versions of ours.
 */
export async function checkWrites(
  store: ReplicableDataService,
  { onWrite, onFinding, signal }: CheckOptions,
): Promise<{ entries: number }> {
  let entries = 0;
  let before: string | undefined;
  for await (const write of store.writes({ signal })) {
    if (write.text !== undefined) entries += 1;
    for (const finding of findingsOf(write, before)) onFinding(write.key, finding);
    before = write.key;
    onWrite?.(write);
  }
  return { entries };
}

function* findingsOf({ key, text, version }: DataWrite, before: string | undefined): Generator<string> {
  try {
    checkKey(key);
  } catch (error) {
    yield textOf(error);
  }
  if (before !== undefined && compareUtf8(before, key) >= 0) {
    yield 'it comes behind a greater key; expected the order of their bytes';
  }
  if (timeOfVersion(version) === undefined) yield `its version is '${version}'; expected 28 hexadecimal digits`;
  if (text !== undefined) yield* findingsOfText(text);
}

function* findingsOfText(text: string): Generator<string> {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_VALUE_BYTES) {
    yield `its value is ${formatBytes(bytes)}; expected at most ${formatBytes(MAX_VALUE_BYTES)}`;
  }
  try {
    parseValue(text);
  } catch (error) {
    yield `its value is no JSON: ${(error as Error).message}`;
  }
}
