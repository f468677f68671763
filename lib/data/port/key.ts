import { describeValue } from './describe-value.js';
import { DataKeyException } from './errors.js';

/** The longest key, in bytes of UTF-8: what every database can index. */
export const MAX_KEY_BYTES = 512;

const EXPECTED = `expected a well-formed string without NUL, of at most ${MAX_KEY_BYTES} bytes of UTF-8`;

/**
 * Checks a key.
 *
 * @throws DataKeyException
 */
export function checkKey(key: unknown): asserts key is string {
  checkText('key', key);
  if (key === '') throw new DataKeyException(`The data key "" is empty; ${EXPECTED}`);
}

/**
 * Checks what keys are to begin with. Unlike a key it may be empty.
 *
 * @throws DataKeyException
 */
export function checkPrefix(prefix: unknown): asserts prefix is string {
  checkText('prefix', prefix);
}

function checkText(role: 'key' | 'prefix', text: unknown): asserts text is string {
  const problem = problemOf(text);
  if (problem !== undefined) {
    throw new DataKeyException(`The data ${role} ${describeValue(text)} ${problem}; ${EXPECTED}`);
  }
}

function problemOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return 'is not a string';
  // In Unicode mode a surrogate matches only where it is not half of a pair.
  if (/\p{Surrogate}/u.test(text)) return 'contains a lone surrogate';
  if (text.includes('\0')) return 'contains a NUL';
  const bytes = Buffer.byteLength(text);
  return bytes > MAX_KEY_BYTES ? `is ${bytes} bytes long` : undefined;
}
