import type { Lease } from 'etcd3';
import { setTimeout as delay } from 'node:timers/promises';
import type { EtcdClient } from './etcd-client.js';

/** A shorter lease is lost to a member that hangs: pings find that out only after 7 s. */
export const LEAST_TTL_S = 15;

/** What is told of a lease. */
export interface LeaseOwner {
  /** A new lease is there: keys that hung on the one before are gone, or will be. Run again until it resolves. */
  granted(id: string): Promise<unknown>;
  /** It is lost, or nothing is known of it for as long as it lives. */
  lost?(error: unknown): void;
}

/**
 * A lease that is renewed until {@link close}, and granted anew when it is lost. How long it surely lasts goes by the
 * monotonic clock of this process and the moment at which the last renewal that succeeded was *sent*, whatever the client says.
 */
export class KeptLease {
  readonly #stop = new AbortController();
  #lease: Lease | undefined;
  #id: string | undefined;
  #running: Promise<void> | undefined;
  #sentAt = -Infinity;

  /** @param seconds its time to live, at least {@link LEAST_TTL_S}. */
  constructor(
    private readonly client: EtcdClient,
    readonly seconds: number,
    private readonly owner: LeaseOwner,
  ) {}

  /** Undefined while there is none. */
  get id(): string | undefined {
    return this.#id;
  }

  /** When the last renewal that succeeded was sent, by `performance.now()`; -Infinity: never. */
  get renewedAt(): number {
    return this.#sentAt;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Gives it back: its keys go at once, if etcd answers. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#lease?.revoke({ deadline: Date.now() + this.client.timeout }).catch(() => undefined);
    this.#lease = this.#id = undefined;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const pause = (ms: number): Promise<unknown> => delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
    while (!signal.aborted) {
      try {
        await this.#grant();
        for (;;) {
          await pause((this.seconds * 1_000) / 3);
          if (signal.aborted) return;
          await this.#renew(pause);
        }
      } catch (error) {
        if (this.#id !== undefined) this.owner.lost?.(error);
        this.#lease?.release();
        this.#lease = this.#id = undefined;
        await pause(1_000 * (0.5 + Math.random()));
      }
    }
  }

  async #grant(): Promise<void> {
    const sentAt = performance.now();
    const lease = this.client.lease(this.seconds);
    lease.on('lost', () => undefined);
    this.#lease = lease;
    const id = await lease.grant();
    this.#sentAt = sentAt;
    await this.owner.granted(id);
    this.#id = id;
  }

  /** Tries until the lease has surely gone. @throws what etcd says of a lease that is no more. */
  async #renew(pause: (ms: number) => Promise<unknown>): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      const sentAt = performance.now();
      try {
        await this.#lease?.keepaliveOnce({ deadline: Date.now() + this.client.timeout });
        this.#sentAt = sentAt;
        return;
      } catch (error) {
        const over = performance.now() - this.#sentAt >= this.seconds * 1_000;
        if (signal.aborted || over || this.#lease?.revoked() === true) throw error;
        await pause(500);
      }
    }
  }
}
