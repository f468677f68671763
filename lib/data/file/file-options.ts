import { resolve } from 'node:path';
import { checkOptions } from '../option-checks.js';

/**
 * Options of `fileData`.
 *
 * @publicApi
 */
export interface FileDataOptions {
  /**
   * The folder for the data, relative to the working directory or absolute. It is created where it is missing, and
   * belongs to one service at a time.
   */
  path: string;
}

/** A checked copy, with the path made absolute. */
export function resolveFileOptions(options: FileDataOptions): Readonly<FileDataOptions> {
  checkOptions<FileDataOptions>('fileData', options, {
    path: {
      expected: 'the path of a folder, a non-empty string without NUL',
      accepts: (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
    },
  });
  return Object.freeze({ path: resolve(options.path) });
}
