import { DataOwnedException } from '../port/errors.js';
import { journalPath } from './file-names.js';
import type { FileSystem } from './file-system.js';

/**
 * Tells whether the folder is still this service's own, whatever a lock says: a process that was paused, or that another
 * container could not see, may have been taken for dead.
 *
 * A new owner creates the journal of the next number before it reads anything, and journals are removed lowest first. So
 * if, after a sync, the next one is not there and then the own one still is, no new owner has begun to read before that
 * sync, and any later one will find what was synced. If there was one, then either its first journal is there, or the
 * own one is gone. Two looks at names that the system has at hand take some microseconds, a hundredth of a sync.
 */
export class Fence {
  #lost: Error | undefined;
  #own = '';
  #next = '';

  /**
   * @param number of the last journal that this service has created.
   * @param describeOwner says who owns the folder now.
   */
  constructor(
    private readonly fileSystem: FileSystem,
    private readonly folder: string,
    number: number,
    private readonly describeOwner: () => Promise<string>,
  ) {
    this.advanceTo(number);
  }

  /** Whether a look has found that the folder is lost; then it stays so. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /**
   * Looks whether the folder was lost.
   *
   * @throws DataOwnedException where it was.
   */
  async check(): Promise<void> {
    if (this.#lost === undefined && this.#isHeld()) return;
    throw await this.lose();
  }

  /** @throws DataOwnedException where an earlier look has found the folder lost. */
  assertHeld(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Another journal was created, from which on the next owner counts. */
  advanceTo(number: number): void {
    this.#own = journalPath(this.folder, number);
    this.#next = journalPath(this.folder, number + 1);
  }

  /** Notes that the folder is lost, and returns the error that says so. */
  async lose(): Promise<Error> {
    this.#lost ??= new DataOwnedException(
      `The data folder ${this.folder} was taken over by ${await this.describeOwner()}; ` +
        'expected it to stay with this service, which no longer writes there',
    );
    return this.#lost;
  }

  #isHeld(): boolean {
    return !this.fileSystem.exists(this.#next) && this.fileSystem.isReachable(this.#own);
  }
}
