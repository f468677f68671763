import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DataOwnedException } from '../errors.js';
import type { FileSystem } from './file-system.js';
import { isMissing, removeFile } from './file-system.js';
import type { ProcessIdentity } from './process-identity.js';
import { currentProcess, mayRun } from './process-identity.js';

/** Folders that services of this process own: of two that open one at the same moment, exactly one gets it. */
const ownedHere = new Set<string>();

const OWNER_FILE = /^owner-(\d+)-[\da-f-]{36}\.lock$/;

interface Owner extends ProcessIdentity {
  /** Since when, as an ISO date; for people. */
  readonly since: string;
}

/**
 * The claim of one service on its folder: a file of a name of its own. Whoever claims first creates that file, then
 * looks for others: of two claimants at least one sees the other and steps back, so there are never two owners. (Both
 * may step back.) Since no two files share a name, the file of a dead owner can be deleted without a race.
 */
export class FolderOwner {
  private constructor(
    private readonly fileSystem: FileSystem,
    private readonly folder: string,
    private readonly file: string,
  ) {}

  /**
   * Claims an existing folder.
   *
   * @param folder its real path.
   * @throws DataOwnedException naming the owner.
   */
  static async claim(fileSystem: FileSystem, folder: string): Promise<FolderOwner> {
    if (ownedHere.has(folder)) throw owned(folder, `a service of this process (pid ${process.pid})`);
    ownedHere.add(folder);
    const file = `owner-${process.pid}-${randomUUID()}.lock`;
    const claim = new FolderOwner(fileSystem, folder, file);
    try {
      const owner: Owner = { ...(await currentProcess(fileSystem)), since: new Date().toISOString() };
      await fileSystem.createText(join(folder, file), JSON.stringify(owner));
      await claim.#expectNoOther();
      return claim;
    } catch (error) {
      await claim.release();
      throw error;
    }
  }

  async release(): Promise<void> {
    try {
      await removeFile(this.fileSystem, join(this.folder, this.file));
    } finally {
      ownedHere.delete(this.folder);
    }
  }

  /** Who else claims the folder now, for a message. */
  async describeOther(): Promise<string> {
    for (const name of await this.fileSystem.list(this.folder).catch(() => [])) {
      const pid = OWNER_FILE.exec(name)?.[1];
      if (pid !== undefined && name !== this.file) return `process ${pid}`;
    }
    return 'another service';
  }

  async #expectNoOther(): Promise<void> {
    for (const name of await this.fileSystem.list(this.folder)) {
      const pid = OWNER_FILE.exec(name)?.[1];
      if (pid === undefined || name === this.file) continue;
      const owner = await this.#readOwner(name, Number(pid));
      if (owner === undefined) continue;
      if (await mayRun(owner, this.fileSystem)) {
        throw owned(this.folder, `process ${owner.pid} on ${owner.host} since ${owner.since}`, name);
      }
      await removeFile(this.fileSystem, join(this.folder, name));
    }
  }

  /** Undefined where the owner has gone meanwhile. */
  async #readOwner(name: string, pid: number): Promise<Owner | undefined> {
    try {
      const text = await this.fileSystem.readText(join(this.folder, name));
      return parseOwner(text) ?? { ...(await currentProcess(this.fileSystem)), pid, started: '', since: 'just now' };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}

/** Undefined where the owner is about to write the text, or died before it had. */
function parseOwner(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return undefined;
  }
}

function owned(folder: string, owner: string, file?: string): DataOwnedException {
  const hint = file === undefined ? '' : `; if that process is gone for good, delete ${join(folder, file)}`;
  return new DataOwnedException(
    `The data folder ${folder} is in use by ${owner}; expected a folder that no other service has open${hint}`,
  );
}
