import * as fs from 'node:fs';
import type { FileSystem, SyncSite } from './file-system.js';
import { NodeFile, nodeFileSystem, openDescriptor } from './node-file-system.js';

/** No sync is begun in a turn of the event loop that has lasted so long, ms. */
const TURN_MS = 10;

/**
 * Node's own file calls, with the syncs of commits made by the event loop itself. To wake another thread for a sync and be
 * woken by it takes a good part of the time of a sync on a fast disk; but meanwhile the loop does nothing else. Snapshots
 * and backups, which bring many bytes to the disk at once, are left to a thread.
 */
export function loopFileSystem(): FileSystem {
  const turn = new Turn();
  return {
    ...nodeFileSystem,
    open: async (file, mode) => new LoopFile(await openDescriptor(file, mode), turn),
  };
}

class LoopFile extends NodeFile {
  constructor(
    descriptor: number,
    private readonly turn: Turn,
  ) {
    super(descriptor);
  }

  override async sync(site: SyncSite): Promise<void> {
    // Who writes one value after the other would not let anybody else have a turn.
    if (site !== 'commit' || this.turn.isLong()) return super.sync(site);
    fs.fdatasyncSync(this.descriptor);
  }
}

/** The current turn of the event loop, from the first sync in it on. */
class Turn {
  #since: number | undefined;

  isLong(): boolean {
    const now = performance.now();
    if (this.#since === undefined) {
      this.#since = now;
      setImmediate(() => (this.#since = undefined));
    }
    return now - this.#since >= TURN_MS;
  }
}
