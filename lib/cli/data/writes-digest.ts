import { createHash } from 'node:crypto';
import type { DataWrite } from '../../data/port/replicable-data.service.js';

/**
 * A short name for a state of a store: equal for two readings, in order of the keys, that found the same values under
 * the same versions. Deletes count only by what they have removed, since a store may forget them.
 */
export class WritesDigest {
  readonly #hash = createHash('sha256');

  add({ key, text, version }: DataWrite): void {
    // A key holds no NUL.
    if (text !== undefined) this.#hash.update(`${key}\0${version}\0`);
  }

  /** Once, at the end. */
  finish(): string {
    return this.#hash.digest('base64');
  }
}
