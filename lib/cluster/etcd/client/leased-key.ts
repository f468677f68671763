import { setTimeout as delay } from 'node:timers/promises';
import type { EtcdClient } from './etcd-client.js';
import { KeptLease, LEAST_TTL_S } from './kept-lease.js';

/**
 * A key that is there as long as this process lives, with the newest value that was said. It hangs on a lease of its own;
 * where that is lost, it is put again under the next one.
 */
export class LeasedKey {
  readonly #stop = new AbortController();
  readonly #lease: KeptLease;
  #leaseId: string | undefined;
  #value: string | undefined;
  /** What stands there under the lease that is kept now. */
  #written: string | undefined;
  #busy = false;
  #writing: Promise<void> | undefined;

  /** @param seconds how long it outlives the process. */
  constructor(
    private readonly client: EtcdClient,
    readonly key: string,
    seconds = LEAST_TTL_S,
  ) {
    this.#lease = new KeptLease(client, seconds, {
      granted: async (id) => {
        this.#leaseId = id;
        this.#written = undefined;
        this.#write();
      },
      lost: () => (this.#leaseId = undefined),
    });
  }

  /** Says what is to stand there. Where the one before is not written yet, it never is. */
  set(value: string): void {
    this.#value = value;
    this.#lease.start();
    this.#write();
  }

  /** Takes it away: at once, if etcd answers. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#writing;
    await this.#lease.close();
  }

  #write(): void {
    if (!this.#busy) this.#writing = this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    const { signal } = this.#stop;
    this.#busy = true;
    while (this.#leaseId !== undefined && this.#value !== this.#written && !signal.aborted) {
      const [value, id] = [this.#value as string, this.#leaseId];
      try {
        await this.client.put(this.key, value, id);
        if (id === this.#leaseId) this.#written = value;
      } catch {
        await delay(500 + 1_000 * Math.random(), undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
    this.#busy = false;
  }
}
