import { constants, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';

/** The most that a file of rules may hold, bytes. */
export const MAX_RULES_BYTES = 1_048_576;

/**
 * The text of a file of rules; undefined: there is none. What is opened is looked at before it is read, and no more is
 * read than allowed: a pipe would keep a thread waiting for ever, and a device might never end.
 *
 * @throws ResilienceConfigurationError for what is no regular file, is too large, or is no UTF-8.
 */
export async function readRulesText(path: string, place: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    // Opening a pipe would wait for a writer otherwise. Windows has no such flag.
    file = await open(path, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ENXIO') throw new ResilienceConfigurationError(place, 'expected a regular file, got a socket');
    throw error;
  }
  try {
    const found = kindOf(await file.stat());
    if (found !== 'file') throw new ResilienceConfigurationError(place, `expected a regular file, got ${found}`);
    return decode(await readBounded(file, place), place);
  } finally {
    await file.close();
  }
}

async function readBounded(file: FileHandle, place: string): Promise<Buffer> {
  // One byte more tells of a file that is too large, also where it grows meanwhile.
  const buffer = Buffer.allocUnsafe(MAX_RULES_BYTES + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (length > MAX_RULES_BYTES)
      throw new ResilienceConfigurationError(place, `expected at most ${MAX_RULES_BYTES} bytes, got more`);
    if (bytesRead === 0) return buffer.subarray(0, length);
  }
}

function decode(bytes: Buffer, place: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ResilienceConfigurationError(place, 'expected text in UTF-8');
  }
}

function kindOf(stats: Stats): string {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}
