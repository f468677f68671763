import { resolve } from 'node:path';
import type { OptionRule } from '../port/option-checks.js';
import { checkOptions } from '../port/option-checks.js';

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
  /**
   * How much of the values may be kept in memory, in bytes, from 0; the others are read from the disk each time. Keys are
   * always in memory.
   *
   * @default 67_108_864 (64 MiB)
   */
  cacheBytes?: number | undefined;
  /**
   * Opens a damaged folder too, with what is whole in it, tells what is not (`FileDataService.report`, and the log), and
   * writes what is whole to new files in the place of the damaged ones. Copy the folder before.
   *
   * @default false: damage is an error
   */
  salvage?: boolean | undefined;
  /**
   * How long the claim of this service on its folder counts without a sign of life, in ms, from 20. After a crash the next
   * service waits for the end of it, unless it can see that the process is gone: at most twice the lease, which is logged.
   * A service that stands still for longer, because it was paused or its event loop was blocked, may lose the folder to
   * another one, and then acknowledges nothing more.
   *
   * @default 10_000
   */
  lease?: number | undefined;
  /**
   * Who waits while the disk makes a commit durable.
   *
   * - `'thread'`: another thread, and the event loop goes on. Right for a server.
   * - `'loop'`: the event loop. A put takes less time where one writer waits for each (the way to another thread and back
   *   is gone), and nothing else is done meanwhile: timers and requests get a turn after each commit that takes longer than
   *   10 ms, and after 10 ms of shorter ones. For scripts and worker processes; embedded databases without an asynchronous
   *   interface work like that.
   *
   * @default 'thread'
   */
  syncOn?: 'thread' | 'loop' | undefined;
}

/** Checked, with every default in its place. */
export interface ResolvedFileOptions {
  readonly path: string;
  readonly cacheBytes: number;
  readonly salvage: boolean;
  readonly lease: number;
  readonly syncOn: 'thread' | 'loop';
}

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;
const DEFAULT_LEASE_MS = 10_000;
const LONGEST_LEASE_MS = 24 * 60 * 60 * 1_000;
/** A rule for the option, wherever it stands. */
export const LEASE_RULE: OptionRule = {
  expected: `a number of ms from 20 to ${LONGEST_LEASE_MS}`,
  accepts: (value) => value === undefined || (typeof value === 'number' && value >= 20 && value <= LONGEST_LEASE_MS),
};

/** A checked copy, with the path made absolute and every default in its place. */
export function resolveFileOptions(options: FileDataOptions): ResolvedFileOptions {
  checkOptions<FileDataOptions>('fileData', options, {
    path: {
      expected: 'the path of a folder, a non-empty string without NUL',
      accepts: (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
    },
    cacheBytes: {
      expected: 'a number of bytes from 0',
      accepts: (value) => value === undefined || (typeof value === 'number' && value >= 0),
    },
    salvage: {
      expected: 'true or false',
      accepts: (value) => value === undefined || typeof value === 'boolean',
    },
    lease: LEASE_RULE,
    syncOn: {
      expected: "'thread' or 'loop'",
      accepts: (value) => value === undefined || value === 'thread' || value === 'loop',
    },
  });
  const { path, cacheBytes = DEFAULT_CACHE_BYTES, salvage = false, syncOn = 'thread' } = options;
  const { lease = DEFAULT_LEASE_MS } = options;
  return Object.freeze({ path: resolve(path), cacheBytes, salvage, lease, syncOn });
}
