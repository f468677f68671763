import { randomBytes } from 'node:crypto';
import type { DataService } from '../port/data.service.js';
import { timeOfVersion, VersionClock } from '../port/version-clock.js';
import { RESERVED_PREFIX } from './reserved-key.js';

/** Gives out the versions of the writes. */
export interface VersionSource {
  /** A version above all that this source has ever given out or observed. */
  next(): Promise<string>;
  observe(version: string): void;
  /** Whether a version came from here, be it in an earlier life. */
  gaveOut(version: string): boolean;
  close(): Promise<void>;
}

const KEY = `${RESERVED_PREFIX}versions`;
/** How far ahead, in ms, versions are reserved, so that not each of them costs a write to the disk. */
const RESERVE_MS = 2_000;

/** What of a source outlives the process. */
interface Kept {
  readonly node: string;
  /** No version at or above this time was given out. */
  readonly reservedUntil: number;
}

const newNode = (): string => randomBytes(6).toString('hex');

/** Versions without memory: good where the primary is asked at each write, since it knows the ones before. */
export function versionSource(wallClock: () => number): VersionSource {
  const node = newNode();
  const clock = new VersionClock(wallClock, node);
  return {
    next: async () => clock.next(),
    observe: (version) => clock.observe(version),
    gaveOut: (version) => version.endsWith(node),
    close: async () => {},
  };
}

/**
 * Versions that do not go back when the process starts anew with a clock that was set back, even if the primary cannot
 * be asked: a time is reserved in `store` before versions of that time are given out.
 */
export class KeptVersionSource implements VersionSource {
  #reserving: Promise<void> | undefined;

  private constructor(
    private readonly store: DataService,
    private readonly clock: VersionClock,
    private readonly node: string,
    private reservedUntil: number,
    private last: number,
  ) {}

  static async open(store: DataService, wallClock: () => number): Promise<KeptVersionSource> {
    const { node, reservedUntil } = (await store.get<Kept>(KEY)) ?? { node: newNode(), reservedUntil: 0 };
    const clock = new VersionClock(wallClock, node);
    clock.observe(versionAt(reservedUntil, node));
    const source = new KeptVersionSource(store, clock, node, reservedUntil, reservedUntil);
    await source.#keep(reservedUntil);
    return source;
  }

  async next(): Promise<string> {
    const version = this.clock.next();
    const time = timeOfVersion(version) ?? 0;
    this.last = Math.max(this.last, time);
    while (time >= this.reservedUntil) {
      this.#reserving ??= this.#keep(time + RESERVE_MS).finally(() => (this.#reserving = undefined));
      try {
        await this.#reserving;
      } catch {
        // Writes that the primary takes go on without this disk: it is the primary that orders them then.
        break;
      }
    }
    return version;
  }

  observe(version: string): void {
    this.clock.observe(version);
  }

  gaveOut(version: string): boolean {
    return version.endsWith(this.node);
  }

  /** What was reserved and not used is given back. */
  async close(): Promise<void> {
    await this.#reserving?.catch(() => undefined);
    // Where the disk fails, the reservation stands, which is just as safe.
    await this.#keep(this.last + 1).catch(() => undefined);
  }

  async #keep(reservedUntil: number): Promise<void> {
    await this.store.put<Kept>(KEY, { node: this.node, reservedUntil });
    this.reservedUntil = reservedUntil;
  }
}

function versionAt(time: number, node: string): string {
  return `${time.toString(16).padStart(12, '0')}0000${node}`;
}
