import type { Timer } from '../../../kernel/clock.js';
import type { Bucket } from '../bucket.js';
import type { InClusterLine } from './in-cluster-line.js';
import { Tokens } from './tokens.js';

/** The part that this process has in one limit of a cluster, and those who wait for more. */
export class Share {
  readonly tokens = new Tokens();
  /** In order of arrival. */
  readonly calls = new Set<InClusterLine>();
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

  /** When a call may begin at the earliest that has `ahead` before it. */
  turnAt(cost: number, ahead: number, now: number): number {
    const { nextAt, pausedUntil } = this;
    if (nextAt === -Infinity) return now;
    const { limit, per } = this.bucket.rate;
    return Math.max(now, nextAt + (Math.max(1, ahead + cost) - 1) * (per / limit), pausedUntil);
  }
}
