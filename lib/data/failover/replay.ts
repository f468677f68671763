import type { DataWrite } from '../port/replicable-data.service.js';
import type { TellFailover } from './failover-event.js';
import { KeyPump } from './key-pump.js';
import { isRefusedWrite } from './node-error.js';
import type { PrimaryNode } from './primary-node.js';
import type { Surroundings } from './surroundings.js';
import type { VersionSource } from './version-source.js';
import type { WriteQueue } from './write-queue.js';

export interface ReplayInit {
  readonly queue: WriteQueue;
  readonly primary: PrimaryNode;
  readonly versions: VersionSource;
  readonly concurrency: number;
  readonly surroundings: Surroundings;
  readonly tell: TellFailover;
  /** Told of each write that the primary has now. */
  readonly onConfirmed: (write: DataWrite) => void;
}

/** Brings queued writes to the primary, at least once each, for as long as it takes. */
export class Replay {
  readonly #pump: KeyPump;

  constructor(private readonly init: ReplayInit) {
    const { concurrency, surroundings } = init;
    const { clock, random } = surroundings;
    this.#pump = new KeyPump({ clock, random, concurrency, work: (key) => this.deliver(key) });
  }

  /** Begins with what an earlier life has left. */
  start(): void {
    for (const key of this.init.queue.keys()) this.#pump.add(key);
  }

  add(key: string): void {
    this.#pump.add(key);
  }

  /** The primary is back. */
  wake(): void {
    this.#pump.wake();
  }

  /** Leaves what is queued on the disk. */
  stop(): Promise<void> {
    return this.#pump.stop();
  }

  /**
   * Brings the queued write of one key to the primary, or puts it aside where the primary refuses it for good.
   *
   * @throws what keeps the primary from taking it now.
   */
  async deliver(key: string): Promise<void> {
    const { queue, primary, versions } = this.init;
    const write = await queue.lastWrite(key);
    if (write === undefined) return;
    let standing: string;
    try {
      standing = await primary.write((service, signal) => service.apply(write, { signal }));
    } catch (error) {
      if (!isRefusedWrite(error)) throw error;
      return this.#reject(write, error);
    }
    versions.observe(standing);
    this.#settle(write, standing);
  }

  async #reject(write: DataWrite, error: unknown): Promise<void> {
    const { queue, primary, tell } = this.init;
    const { key, version } = write;
    await queue.reject(write);
    tell({ type: 'rejected', node: primary.name, key, version, error });
  }

  #settle(write: DataWrite, standing: string): void {
    const { queue, versions, surroundings, tell, onConfirmed } = this.init;
    const { key, version } = write;
    const since = queue.settle(key, version);
    if (standing !== version) {
      // A newer write of this process is no conflict: it has taken the place of this one.
      if (!versions.gaveOut(standing)) tell({ type: 'conflict', key, version, winner: standing });
      return;
    }
    onConfirmed(write);
    if (since === undefined) return;
    const waitedMs = Math.max(0, surroundings.clock.wallNow() - since);
    tell({ type: 'replayed', key, version, waitedMs, length: queue.length });
  }
}
