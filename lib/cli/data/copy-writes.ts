import type { DataCallOptions } from '../../data/port/data-options.js';
import type { DataWrite, ReplicableDataService } from '../../data/port/replicable-data.service.js';
import { isNewer } from '../../data/port/version-clock.js';
import { BoundedWork } from './bounded-work.js';
import { pairedWrites } from './paired-writes.js';
import { WritesDigest } from './writes-digest.js';

/** How to copy. */
export interface CopyOptions extends DataCallOptions {
  /** Only keys that begin with it. */
  readonly prefix: string;
  /** How many writes are under way at a time. */
  readonly parallel: number;
  /** Whether to remove from the target what the source does not have. @default false */
  readonly prune?: boolean;
  /** Hears of each write that was copied or was there already. */
  readonly onWrite?: (write: DataWrite) => void;
}

/** What a copy did. */
export interface CopyResult {
  /** Writes that the target now has and had not, deletes included. */
  readonly copied: number;
  /** Writes that the target had, or a newer one of that key. */
  readonly present: number;
  /** Keys that were removed from the target. */
  readonly pruned: number;
  /** The state of the source as it was read. */
  readonly digest: string;
}

/**
 * Brings every write of one store to another that it does not have yet, deletes too, under its own version. It reads
 * both side by side, so a copy that was cut off goes on where it was by being begun anew.
 */
export async function copyWrites(
  source: ReplicableDataService,
  target: ReplicableDataService,
  { prefix, parallel, prune = false, onWrite, signal }: CopyOptions,
): Promise<CopyResult> {
  const work = new BoundedWork(parallel);
  const digest = new WritesDigest();
  let [copied, present, pruned] = [0, 0, 0];
  const reading = { prefix, signal };
  try {
    for await (const { key, left, right } of pairedWrites(source.writes(reading), target.writes(reading))) {
      if (left === undefined) {
        if (!prune || right === undefined) continue;
        await work.begin(async () => {
          if (await target.forget(key, right.version, { signal })) pruned += 1;
        });
        continue;
      }
      digest.add(left);
      if (right !== undefined && !isNewer(left.version, right.version)) {
        present += 1;
        onWrite?.(left);
        continue;
      }
      await work.begin(async () => {
        await target.apply(left, { signal });
        copied += 1;
        onWrite?.(left);
      });
    }
    await work.end();
  } finally {
    // Whoever closes the target now must find nothing under way.
    await work.settled();
  }
  return { copied, present, pruned, digest: digest.finish() };
}
