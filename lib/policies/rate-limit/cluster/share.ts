import type { Timer } from '../../../kernel/clock.js';
import type { Bucket } from '../bucket.js';
import type { InClusterLine } from './in-cluster-line.js';
import { Tokens } from './tokens.js';

/** There may be many keys, and nobody waits for most. */
const NOBODY: ReadonlySet<InClusterLine> = new Set();

/** The part that this process has in one limit of a cluster, and those who wait for more. */
export class Share {
  readonly tokens = new Tokens();
  /** In order of arrival. */
  calls: ReadonlySet<InClusterLine> = NOBODY;
  /** What they cost together. */
  backlog = 0;
  /** The store is asked. */
  asking = false;
  askedAt = -Infinity;
  /** When the next unit is there, as the store has said. */
  nextAt = -Infinity;
  /** Before this moment it is of no use to ask again. */
  pausedUntil = -Infinity;
  timer: Timer | undefined;
  timerDue = Infinity;

  constructor(readonly bucket: Bucket) {}

  get first(): InClusterLine | undefined {
    for (const call of this.calls) return call;
    return undefined;
  }

  join(call: InClusterLine): void {
    const calls = this.calls === NOBODY ? new Set<InClusterLine>() : (this.calls as Set<InClusterLine>);
    this.calls = calls.add(call);
    this.backlog += call.wanted.cost;
  }

  /** @returns whether it was there. */
  leave(call: InClusterLine): boolean {
    const { calls } = this;
    if (calls === NOBODY || !(calls as Set<InClusterLine>).delete(call)) return false;
    // What adding and subtracting leaves behind must not stay.
    this.backlog = calls.size === 0 ? 0 : this.backlog - call.wanted.cost;
    if (calls.size === 0) this.calls = NOBODY;
    return true;
  }

  /** When a call may begin at the earliest that has `ahead` before it. */
  turnAt(cost: number, ahead: number, now: number): number {
    const { nextAt, pausedUntil } = this;
    if (nextAt === -Infinity) return now;
    const { limit, per } = this.bucket.rate;
    return Math.max(now, nextAt + (Math.max(1, ahead + cost) - 1) * (per / limit), pausedUntil);
  }
}
