import { watch, type FSWatcher } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** Whoever writes a file does so in several steps; it is read when they are over. */
const SETTLE_MS = 100;
/** How often the path is looked at, ms. */
const LOOK_EVERY_MS = 500;
/** A file that was written so short a time before it was looked at, ms, may be written again within the same tick. */
const SAME_TICK_MS = 100;

/** As Linux numbers kinds of file systems: NFS, SMB, CIFS, SMB2, 9P, Ceph. */
const NETWORK_MOUNTS: ReadonlySet<number> = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x00c36400]);

/**
 * Tells when a path may lead to something else. Its folder is watched, which is quick: editors put a new file in place of
 * the old one; and in Kubernetes a ConfigMap's files are links through `..data`, which is what changes.
 *
 * No watch sees what happens elsewhere: that a link above the folder is swapped, that the target of a link is written,
 * or that a folder is made again. So the path itself is looked at as well, twice a second.
 */
export class FileWatch {
  #watcher: FSWatcher | undefined;
  #settling: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #seen: string | undefined;
  #closed = false;
  #isLost = false;

  /**
   * @param changed called when the path may lead to something else.
   * @param lost called at most once, when there is no watch any more and changes are seen later.
   */
  constructor(
    private readonly path: string,
    private readonly changed: () => void,
    private readonly lost: (error: unknown) => void,
  ) {}

  /** @throws what the system says, when the folder is not there. */
  start(): void {
    try {
      this.#watch();
    } catch (error) {
      if (isMissing(error)) throw error;
      this.#lose(error);
    }
    void this.#lookAtMount();
    // What happened between the first reading and now is not told by the watcher.
    this.#soon();
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#watcher?.close();
    this.#watcher = undefined;
    clearTimeout(this.#settling);
    clearTimeout(this.#looking);
    this.#settling = this.#looking = undefined;
  }

  #watch(): void {
    const file = basename(this.path);
    this.#watcher = watch(dirname(this.path), { persistent: false }, (_event, entry) => {
      if (entry === null || entry === file || entry.startsWith('..')) this.#soon();
    });
    this.#watcher.on('error', (error) => {
      this.#watcher?.close();
      this.#watcher = undefined;
      this.#lose(error);
    });
  }

  /** Each event in a burst puts nothing off: a folder in which much happens must not keep a change waiting. */
  #soon(): void {
    if (this.#settling !== undefined || this.#closed) return;
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      this.changed();
    }, SETTLE_MS);
    this.#settling.unref();
  }

  async #look(): Promise<void> {
    const [file, folder] = await Promise.all([describe(this.path), describe(dirname(this.path))]);
    if (this.#closed) return;
    const found = `${folder?.identity} ${file?.state}`;
    if (this.#seen !== undefined && this.#seen !== found) {
      this.#soon();
      if (!this.#seen.startsWith(`${folder?.identity} `)) this.#watchAnew();
    } else if (file?.isFresh === true) this.#soon();
    this.#seen = found;
    this.#looking = setTimeout(() => void this.#look(), LOOK_EVERY_MS);
    this.#looking.unref();
  }

  /** The folder watched is not the one any more to which the path leads. */
  #watchAnew(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    try {
      this.#watch();
    } catch (error) {
      // Where it is not there now, looking goes on, and tells of the next one.
      if (!isMissing(error)) this.#lose(error);
    }
  }

  #lose(error: unknown): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.lost(error);
  }

  /** What other machines write there the system does not tell of. */
  async #lookAtMount(): Promise<void> {
    const { type } = await statfs(dirname(this.path)).catch(() => ({ type: 0 }));
    if (NETWORK_MOUNTS.has(type) && !this.#closed) this.#lose(new Error('it is on a network mount'));
  }
}

interface Description {
  /** Which file or folder it is. */
  readonly identity: string;
  /** The same, and what changes when it is written. */
  readonly state: string;
  readonly isFresh: boolean;
}

/** What a path leads to, links followed; undefined: nothing. */
async function describe(path: string): Promise<Description | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs } = await stat(path, { bigint: true });
    const identity = `${dev}:${ino}`;
    // One of the future, by a clock that was set, is not written all the time.
    const isFresh = Math.abs(Date.now() - Number(mtimeMs)) < LOOK_EVERY_MS + SAME_TICK_MS;
    return { identity, state: `${identity}:${size}:${mtimeNs}:${ctimeNs}`, isFresh };
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
