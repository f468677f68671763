import { createHash } from 'node:crypto';
import { ask, keyText } from './ask.js';
import type { PolicyEnvironment } from './policy.js';

/** A longer key is kept as its hash, bytes: keys often come from clients, and each is kept, shown and logged. */
const MAX_KEY_BYTES = 512;
/** No character takes more bytes in UTF-8. */
const MAX_CHARACTER_BYTES = 3;

/** The key that a user's function gives for the arguments of a call, as text; undefined: it has none. */
export function keyOf(
  environment: PolicyEnvironment,
  place: string,
  key: ((...args: unknown[]) => unknown) | undefined,
  args: readonly unknown[],
): string | undefined {
  const text = ask(environment, place, keyText, undefined, () => key?.(...args));
  return text === undefined ? undefined : boundedKey(text);
}

/** A key as tables keep it: itself, or `sha256:` and its hash where it is longer than 512 bytes. */
export function boundedKey(key: string): string {
  if (key.length * MAX_CHARACTER_BYTES <= MAX_KEY_BYTES || Buffer.byteLength(key) <= MAX_KEY_BYTES) return key;
  // In UTF-8 all broken characters would be the same.
  return `sha256:${createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('hex')}`;
}

/**
 * A key as a table may keep it for long. A part of a longer text keeps all of that in memory, and a text that was put
 * together keeps its parts, which can be ten times as much as the text: so it is copied.
 */
export function keptKey(key: string): string {
  const copy = Buffer.from(key, 'latin1').toString('latin1');
  return copy === key ? copy : Buffer.from(key, 'utf16le').toString('utf16le');
}
