import { DataUnavailableException } from '../port/errors.js';

/**
 * Compares a table that was already there with the one that this library would have made.
 *
 * @throws DataUnavailableException showing both, as lines of text.
 */
export function checkLayout(table: string, found: readonly string[], expected: readonly string[]): void {
  if (found.length === expected.length && found.every((column, i) => column === expected[i])) return;
  throw new DataUnavailableException(
    `The table ${table} was not made by this version of the library: its columns are ${found.join(', ')}; ` +
      `expected ${expected.join(', ')}. Choose another one by the option 'table', or remove it`,
  );
}
