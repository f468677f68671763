import { setTimeout as delay } from 'node:timers/promises';
import { outsideCalls } from '../../../data/port/outside-calls.js';
import { ETCD_TIMEOUT_MS } from '../client/etcd-connection.js';
import { isOutage } from './etcd-faults.js';
import { Member } from './member.js';
import type { ResolvedEtcdDataOptions } from './etcd-data-options.js';
import type { TimeBudget } from './time-budget.js';

/** Where no member answers at all, they are asked again after this long. */
const PAUSE_MS = 100;

/**
 * The members of a cluster. All requests go to one of them, until that one does not answer; so only the first ones wait
 * for a member that hangs. Each process begins with another one.
 */
export class Members {
  #current: number;

  /** @param tryMs how long one try may take: a write that a leader took with it when it died is never answered. */
  constructor(
    private readonly members: readonly Member[],
    private readonly tryMs: number,
  ) {
    this.#current = Math.floor(Math.random() * members.length);
  }

  static of({ hosts, auth, credentials, timeout }: ResolvedEtcdDataOptions): Members {
    const tryMs = Math.min(ETCD_TIMEOUT_MS, timeout);
    const connection = { ...(auth && { auth }), ...(credentials && { credentials }) };
    return new Members(
      [hosts].flat().map((host) => new Member(host, connection, tryMs)),
      tryMs,
    );
  }

  /**
   * Asks a member, and another one where the first does not answer, until the time is over.
   *
   * @param mayRepeat whether the same may be asked again after an outage; it hears of each.
   */
  async ask<T>(
    budget: TimeBudget,
    request: (member: Member, ms: number) => Promise<T>,
    mayRepeat: (error: unknown) => boolean = () => true,
  ): Promise<T> {
    for (let tries = 1; ; tries++) {
      const asked = this.#current;
      const member = this.members[asked] as Member;
      try {
        const ms = Math.min(this.tryMs, budget.left);
        // The connection is made by the first who needs it, and lives longer than that call.
        return await outsideCalls(() => request(member, ms));
      } catch (error) {
        if (!isOutage(error)) throw error;
        if (this.#current === asked) this.#current = (asked + 1) % this.members.length;
        if (!mayRepeat(error)) throw error;
        if (tries % this.members.length === 0) await pause(budget);
        if (budget.isOver) throw error;
      }
    }
  }

  close(): void {
    for (const member of this.members) member.close();
  }
}

async function pause({ left, signal }: TimeBudget): Promise<void> {
  await delay(Math.max(0, Math.min(PAUSE_MS, Math.ceil(left))), undefined, { signal }).catch(() => undefined);
}
