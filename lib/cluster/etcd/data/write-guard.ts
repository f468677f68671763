import { EtcdLeaseInvalidError } from 'etcd3';
import { randomBytes } from 'node:crypto';
import { instanceOf } from '../../../errors/foreign.js';
import type { EtcdFence } from './data-fenced.exception.js';
import type { Members } from './members.js';
import { TimeBudget } from './time-budget.js';

/** Nobody renews it: then the next write makes a new guard. What a crashed process leaves is gone as soon. */
const LEASE_S = 60 * 60;

/**
 * A key of this service alone, on which all its writes depend. Where a member did not answer, nobody knows whether it
 * still has the write, and will apply it after others that were acknowledged meanwhile. So the guard is replaced before
 * anything more is written: from then on what depends on the old one is applied no more.
 */
export class WriteGuard {
  readonly #name = randomBytes(9).toString('base64url');
  #standing: EtcdFence | undefined;
  #broken: string | undefined;
  #making: Promise<EtcdFence> | undefined;
  #lease: string | undefined;
  #count = 0;

  constructor(
    private readonly members: Members,
    private readonly prefix: string,
    private readonly timeout: number,
  ) {}

  /** What writes that begin now depend on. */
  async current(budget: TimeBudget): Promise<EtcdFence> {
    if (this.#standing !== undefined) return this.#standing;
    // Many may wait for it, each as long as it may.
    this.#making ??= this.#make().finally(() => (this.#making = undefined));
    return budget.wait(this.#making);
  }

  /** Nothing that depends on `guard` may be applied once a later write begins. */
  break(guard: EtcdFence): void {
    if (this.#standing !== guard) return;
    this.#broken = guard.key;
    this.#standing = undefined;
  }

  /** Leaves nothing in etcd, if that is quickly done; else its lease ends by itself. */
  async close(): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined) return;
    const revoke = this.members.ask(
      new TimeBudget(this.timeout),
      (member, ms) => member.revoke(lease, ms),
      () => false,
    );
    await revoke.catch(() => undefined);
  }

  async #make(): Promise<EtcdFence> {
    const budget = new TimeBudget(this.timeout);
    const key = `${this.prefix}${this.#name}-${++this.#count}`;
    for (;;) {
      const lease = (this.#lease ??= await this.members.ask(budget, (member, ms) => member.grant(LEASE_S, ms)));
      try {
        const createRevision = await this.members.ask(budget, (member, ms) =>
          member.replace(this.#broken, key, lease, ms),
        );
        if (createRevision === undefined) throw new TypeError('expected etcd to have the key that it has just put');
        this.#broken = undefined;
        return (this.#standing = { key, createRevision });
      } catch (error) {
        if (!instanceOf(error, EtcdLeaseInvalidError) || budget.isOver) throw error;
        this.#lease = undefined;
      }
    }
  }
}
