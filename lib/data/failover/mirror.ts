import type { Surroundings } from './surroundings.js';
import type { DataWrite } from '../port/replicable-data.service.js';
import type { TellFailover } from './failover-event.js';
import type { GuardedNode } from './guarded-node.js';
import { KeyPump } from './key-pump.js';
import { isRefusedWrite } from './node-error.js';
import { isReserved } from './reserved-key.js';

/** How many copies are written to a mirror at the same time. */
const CONCURRENCY = 4;
/** For how many keys it is known which version the mirror has, so that what is read often is copied once. */
const KNOWN_KEYS = 10_000;
/** About what a waiting write takes besides its key and its text. */
const OVERHEAD = 100;
/** How long, in ms, a close waits for what is still to be copied. */
const DRAIN_MS = 5_000;

/** Copies to a standby what this process reads and writes, behind its back: of each key the last write. */
export class Mirror {
  readonly #pending = new Map<string, DataWrite>();
  readonly #known = new Map<string, string>();
  readonly #pump: KeyPump;
  #pendingBytes = 0;
  #dropped = 0;

  constructor(
    readonly node: GuardedNode,
    private readonly maxPendingBytes: number,
    private readonly surroundings: Surroundings,
    private readonly tell: TellFailover,
  ) {
    const { clock, random } = surroundings;
    this.#pump = new KeyPump({ clock, random, concurrency: CONCURRENCY, work: (key) => this.#copy(key) });
  }

  /** How many keys wait. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Has a write of the primary copied, unless there is no room for it. */
  add(write: DataWrite): void {
    const { key, version } = write;
    const newest = this.#pending.get(key)?.version ?? this.#known.get(key);
    if ((newest !== undefined && newest >= version) || isReserved(key)) return;
    const bytes = this.#pendingBytes + sizeOf(write) - sizeOf(this.#pending.get(key));
    if (bytes > this.maxPendingBytes) {
      this.#dropped++;
      this.tell({ type: 'mirrorOverflow', node: this.node.name, key, dropped: this.#dropped });
      return;
    }
    this.#pendingBytes = bytes;
    this.#pending.set(key, write);
    this.#pump.add(key);
  }

  wake(): void {
    this.#pump.wake();
  }

  /** Copies what waits, as long as the mirror takes it, and ends. */
  async stop(): Promise<void> {
    const { clock } = this.surroundings;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, DRAIN_MS);
      void this.#pump.settled().then(() => {
        clock.clearTimeout(timer);
        resolve();
      });
    });
    await this.#pump.stop();
  }

  async #copy(key: string): Promise<void> {
    const write = this.#pending.get(key);
    if (write === undefined) return;
    try {
      await this.node.run((service, signal) => service.apply(write, { signal }));
      this.#learn(write);
    } catch (error) {
      if (!isRefusedWrite(error)) throw error;
      this.tell({ type: 'rejected', node: this.node.name, key, version: write.version, error });
    }
    if (this.#pending.get(key) !== write) return;
    this.#pending.delete(key);
    this.#pendingBytes -= sizeOf(write);
  }

  #learn({ key, version }: DataWrite): void {
    this.#known.delete(key);
    this.#known.set(key, version);
    if (this.#known.size <= KNOWN_KEYS) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

function sizeOf(write: DataWrite | undefined): number {
  if (write === undefined) return 0;
  // At most two bytes a character in memory; what it takes exactly is the engine's secret.
  return 2 * (write.key.length + (write.text?.length ?? 0)) + OVERHEAD;
}
