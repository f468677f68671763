import { setTimeout as delay } from 'node:timers/promises';
import { outsideCalls } from '../../../data/port/outside-calls.js';
import { isOutage } from './etcd-faults.js';
import { Member } from './member.js';
import type { ResolvedEtcdDataOptions } from './etcd-data-options.js';
import type { TimeBudget } from './time-budget.js';

/**
 * How long one try may take, ms. Until they elect another leader, for 1 to 2 s, members hand writes on to the dead one,
 * and never answer.
 */
const TRY_MS = 1_000;
/** How soon they are asked again where none of them answers. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/**
 * The members of a cluster. All requests go to one of them, until that one does not answer; so only the first ones wait
 * for a member that hangs. Each process begins with another one.
 *
 * Where no member answers, one look for all requests that wait goes on until one does.
 */
export class Members {
  #current: number;
  #look: Promise<void> | undefined;
  #waiting = 0;

  constructor(
    private readonly members: readonly Member[],
    private readonly tryMs: number,
    private readonly pause: (ms: number) => Promise<unknown> = delay,
  ) {
    this.#current = Math.floor(Math.random() * members.length);
  }

  static of({ hosts, auth, credentials, timeout }: ResolvedEtcdDataOptions): Members {
    const tryMs = Math.min(TRY_MS, timeout);
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
      if (this.#look !== undefined) await this.#oneAnswers(budget);
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
        if (tries % this.members.length === 0) {
          await this.#oneAnswers(budget).catch(() => {
            throw error;
          });
        }
        if (budget.isOver) throw error;
      }
    }
  }

  close(): void {
    for (const member of this.members) member.close();
  }

  /** Waits until a member answers. @throws DataUnavailableException when the time is over. */
  async #oneAnswers(budget: TimeBudget): Promise<void> {
    this.#waiting += 1;
    this.#look ??= outsideCalls(() => this.#lookForOne()).finally(() => (this.#look = undefined));
    try {
      await budget.wait(this.#look);
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Until one answers, or nobody waits any more. */
  async #lookForOne(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; this.#waiting > 0; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)) {
      await this.pause(pauseMs);
      const answers = this.members.map(async (member, i) => {
        await member.complaints(this.tryMs);
        return i;
      });
      const first = await Promise.any(answers).catch(() => undefined);
      if (first === undefined) continue;
      this.#current = first;
      return;
    }
  }
}
