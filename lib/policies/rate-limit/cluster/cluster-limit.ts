import type { Attempt } from '../../../kernel/attempt.js';
import { refused, type Admission } from '../../../kernel/guard.js';
import type { PolicyEnvironment } from '../../../kernel/policy.js';
import type { Bucket } from '../bucket.js';
import type { ResolvedRateLimit } from '../rate-limit.options.js';
import type { Refusals } from '../refusals.js';
import type { LimitedPlaces } from '../limited-call.js';
import { ROUNDING_MS } from '../waiting-lines.js';
import type { Wanted } from '../wanted.js';
import { ClusterCall, ShadowCall } from './cluster-call.js';
import { ClusterLines } from './cluster-lines.js';
import type { Share } from './share.js';

/** What a call asks of its limit. */
export interface ClusterAsk {
  readonly call: Attempt;
  readonly bucket: Bucket;
  readonly cost: number;
  readonly metricsOnly: boolean;
  /** What bounds wait and run of the attempt together, ms. */
  readonly perAttempt: number;
}

/**
 * Decides on calls under a limit that the processes of a cluster share: by what this process was granted already; where
 * nothing is left, the call waits for the grant that is on its way. While the store is away nobody waits for it.
 */
export class ClusterLimit {
  readonly #lines: ClusterLines;
  readonly #places: LimitedPlaces;
  #options: ResolvedRateLimit;

  constructor(
    options: ResolvedRateLimit,
    private readonly environment: PolicyEnvironment,
    private readonly refusals: Refusals,
  ) {
    this.#options = options;
    this.#lines = new ClusterLines(options, environment, refusals);
    this.#places = { refusals, lifecycle: environment.lifecycle };
  }

  /** How many calls wait. */
  get waiting(): number {
    return this.#lines.size;
  }

  /** How many processes share what there is while the store is away. */
  get processes(): number {
    return this.environment.rateStore?.processes ?? 1;
  }

  reconfigure(options: ResolvedRateLimit): void {
    this.#options = options;
    this.#lines.reconfigure(options);
  }

  admit(ask: ClusterAsk): Admission {
    const { bucket, cost, call } = ask;
    const now = call.since;
    const share = this.#lines.shareOf(bucket);
    const isFree = share.calls.size === 0;
    if (isFree && share.tokens.take(cost, now)) return undefined;
    if (this.environment.rateStore?.up !== true) return this.#withoutStore(ask, share, now);
    if (now < share.pausedUntil) return this.#later(ask, share.turnAt(cost, share.backlog, now) - now);
    return this.#wait(ask);
  }

  #withoutStore(ask: ClusterAsk, share: Share, now: number): Admission {
    const { bucket, cost, metricsOnly } = ask;
    const { onStoreError } = this.#lines;
    if (onStoreError === 'open') return undefined;
    if (onStoreError === 'closed') {
      const error = this.refusals.storeAway({ bucket, cost, metricsOnly });
      return metricsOnly ? undefined : refused(error);
    }
    bucket.settle(now);
    const waitMs = bucket.waitOfFirst(cost + share.backlog, now);
    if (waitMs > ROUNDING_MS || share.calls.size > 0) return this.#later(ask, Math.max(0, waitMs));
    bucket.take(cost);
    return undefined;
  }

  /** Its turn comes in `waitMs` at the earliest. */
  #later(ask: ClusterAsk, waitMs: number): Admission {
    const { call } = ask;
    const { refusals } = this;
    const { onLimit, maxWait = Infinity } = this.#options;
    if (onLimit === 'reject') return this.#refuse(ask, refusals.usedUp(ask, waitMs));
    if (call.rare?.probe === true) return this.#refuse(ask, refusals.notForProbes(ask, waitMs));
    const boundMs = Math.min(maxWait, ask.perAttempt);
    const canMs = Math.min(boundMs, call.deadline - call.since);
    if (waitMs > canMs + ROUNDING_MS) return this.#refuse(ask, refusals.tooLate(ask, waitMs, waitMs, boundMs, canMs));
    return this.#wait(ask);
  }

  #refuse({ metricsOnly }: ClusterAsk, error: Error): Admission {
    return metricsOnly ? undefined : refused(error);
  }

  #wait(ask: ClusterAsk): Admission {
    const { call, bucket, cost, metricsOnly, perAttempt } = ask;
    const { since } = call;
    const isQueue = this.#options.onLimit === 'queue' && call.rare?.probe !== true;
    const boundMs = Math.min(isQueue ? (this.#options.maxWait ?? Infinity) : Infinity, perAttempt);
    const latest = Math.min(since + boundMs, call.deadline);
    const wanted: Wanted = { bucket, cost, since, boundMs, latest, metricsOnly };
    if (metricsOnly) {
      // It goes on, and its shadow takes its turn.
      this.#lines.join(new ShadowCall(wanted, isQueue, this.#lines));
      return undefined;
    }
    if (this.environment.lifecycle.closing) return refused(this.refusals.shutDown());
    return new ClusterCall(call, wanted, isQueue, this.#places, this.#lines);
  }
}
