import type { OnStoreError, TokenGrant } from '../../../kernel/cluster-rate-store.js';
import { MAX_DELAY_MS } from '../../../kernel/options/check.js';
import type { PolicyEnvironment } from '../../../kernel/policy.js';
import type { Bucket } from '../bucket.js';
import type { ResolvedRateLimit } from '../rate-limit.options.js';
import type { Refusals } from '../refusals.js';
import { ROUNDING_MS } from '../waiting-lines.js';
import type { ClusterLine, InClusterLine } from './in-cluster-line.js';
import { Share } from './share.js';

/** No process is granted more than this part of a limit at once. */
const MOST_OF_LIMIT = 0.025;
/** Where less was there than was wanted, a pause lets that gather, of at most so many ms: to ask is dear. */
const GATHER_MS = 25;
/** A timer that is later than this has found a blocked event loop, ms: what has come meanwhile goes first. */
const LATE_MS = 5;

/** The calls of one name that wait for the cluster, a line for each bucket, and what is asked of the store for them. */
export class ClusterLines implements ClusterLine {
  #shares = new WeakMap<Bucket, Share>();
  /** Those in which somebody waits. */
  readonly #waiting = new Set<Share>();
  #size = 0;

  constructor(
    private options: ResolvedRateLimit,
    private readonly environment: PolicyEnvironment,
    private readonly refusals: Refusals,
  ) {}

  /** How many calls wait. */
  get size(): number {
    return this.#size;
  }

  get onStoreError(): OnStoreError {
    return this.options.onStoreError ?? this.environment.rateStore?.onStoreError ?? 'local';
  }

  shareOf(bucket: Bucket): Share {
    let share = this.#shares.get(bucket);
    if (share === undefined) this.#shares.set(bucket, (share = new Share(bucket)));
    return share;
  }

  /** Takes on other options. Who waits keeps its place, and what was said of its turn is asked anew. */
  reconfigure(options: ResolvedRateLimit): void {
    this.options = options;
    this.#shares = new WeakMap();
    for (const share of [...this.#waiting]) {
      this.#shares.set(share.bucket, share);
      share.nextAt = share.pausedUntil = -Infinity;
      if (options.mode === 'metricsOnly') for (const call of [...share.calls]) call.admit();
      else this.#look(share, 1);
    }
  }

  join(call: InClusterLine): void {
    const share = this.shareOf(call.wanted.bucket);
    share.join(call);
    this.#size++;
    if (share.calls.size > 1) return;
    this.#waiting.add(share);
    const now = this.#now();
    const { rateStore } = this.environment;
    if (rateStore?.up === true && now >= share.pausedUntil) this.#ask(share, now);
    this.#look(share, this.#nextLook(share, now));
  }

  leave(call: InClusterLine): void {
    const share = this.shareOf(call.wanted.bucket);
    if (!share.leave(call)) return;
    this.#size--;
    if (share.calls.size > 0) return;
    this.#waiting.delete(share);
    this.#sleep(share);
  }

  #ask(share: Share, now: number): void {
    const { rateStore } = this.environment;
    if (rateStore === undefined) return;
    const { rate, key } = share.bucket;
    const intervalMs = rate.per / rate.limit;
    const least = share.first?.wanted.cost ?? 1;
    const most = Math.min(rate.maxCost, Math.max(least, MOST_OF_LIMIT * rate.limit));
    // A limit that is slow gives what it has to those who wait: a unit that lapses would be missed for long.
    const soon = Math.min(share.tokens.recent(now), GATHER_MS / intervalMs);
    const want = Math.min(most, Math.max(least, share.backlog, soon));
    const { name } = this.refusals;
    share.asking = true;
    share.askedAt = now;
    rateStore
      .take({
        name: key === undefined ? name : `${name}[${key}]`,
        least,
        want,
        intervalMs,
        burst: rate.maxCost,
      })
      .then(
        (grant) => this.#granted(share, least, want, grant),
        () => this.#failed(share),
      );
  }

  #granted(share: Share, least: number, want: number, { granted, spareMs }: TokenGrant): void {
    share.asking = false;
    const now = this.#now();
    const { tokens, bucket } = share;
    const { limit, per } = bucket.rate;
    const intervalMs = per / limit;
    tokens.add(granted, now);
    share.nextAt = now + Math.max(0, intervalMs - spareMs);
    // What is whole units less than was wanted was all that there was.
    const isShort = granted < least || want - granted >= 1;
    const gatherMs = Math.min(GATHER_MS, want * intervalMs - spareMs);
    share.pausedUntil = isShort ? now + Math.max(least * intervalMs - spareMs, gatherMs) : -Infinity;
    this.#serve(share, now);
  }

  /** What waits is decided as if the store were away, also where it may be asked again. */
  #failed(share: Share): void {
    share.asking = false;
    this.#serveWithoutStore(share, this.#now());
  }

  #serve(share: Share, now: number): void {
    for (const call of share.calls) {
      if (!share.tokens.take(call.wanted.cost, now)) break;
      call.admit();
    }
    if (share.calls.size === 0) return;
    if (this.environment.rateStore?.up !== true) return this.#serveWithoutStore(share, now);
    if (now < share.pausedUntil) this.#refuse(share, now);
    else if (!share.asking) this.#ask(share, now);
    if (share.calls.size > 0) this.#look(share, this.#nextLook(share, now));
  }

  /** Turns away who cannot wait until the store is asked again. */
  #refuse(share: Share, now: number): void {
    let ahead = 0;
    for (const call of share.calls) {
      const { cost } = call.wanted;
      const turnAt = share.turnAt(cost, ahead, now);
      if (this.#isRefused(call, turnAt, now)) continue;
      ahead += cost;
    }
  }

  #isRefused(call: InClusterLine, turnAt: number, now: number): boolean {
    const { wanted } = call;
    const { since, latest, boundMs } = wanted;
    if (!call.patient) call.turnAway(this.refusals.usedUp(wanted, turnAt - now));
    else if (turnAt > latest + ROUNDING_MS)
      call.turnAway(this.refusals.tooLate(wanted, turnAt - since, turnAt - now, boundMs, latest - since));
    else return false;
    return true;
  }

  #serveWithoutStore(share: Share, now: number): void {
    const { bucket } = share;
    bucket.settle(now);
    const { onStoreError } = this;
    for (const call of share.calls) {
      const { cost } = call.wanted;
      const waitMs = onStoreError === 'local' ? bucket.waitOfFirst(cost, now) : 0;
      if (onStoreError === 'closed') call.turnAway(this.refusals.storeAway(call.wanted));
      else if (waitMs > ROUNDING_MS) {
        if (this.#isRefused(call, now + waitMs, now)) continue;
        return this.#look(share, waitMs);
      } else {
        if (onStoreError === 'local') bucket.take(cost);
        call.admit();
      }
    }
  }

  /** In how many ms there is something to be seen to. */
  #nextLook(share: Share, now: number): number {
    const { rateStore } = this.environment;
    if (rateStore?.up !== true) {
      share.bucket.settle(now);
      return share.bucket.waitOfFirst(share.first?.wanted.cost ?? 0, now);
    }
    return share.asking ? this.#answerDueIn(share, now) : share.pausedUntil - now;
  }

  #look(share: Share, ms: number): void {
    this.#sleep(share);
    const { clock, lifecycle } = this.environment;
    const delay = Math.max(1, Math.min(Math.ceil(ms - ROUNDING_MS), MAX_DELAY_MS));
    share.timerDue = this.#now() + delay;
    share.timer = clock.setTimeout(() => this.#onTimer(share), delay);
    // A call that is only told of keeps nothing alive.
    if (share.first?.wanted.metricsOnly === true) share.timer.unref();
    if (lifecycle.disposed) this.#sleep(share);
  }

  #sleep(share: Share): void {
    if (share.timer !== undefined) this.environment.clock.clearTimeout(share.timer);
    share.timer = undefined;
  }

  #onTimer(share: Share): void {
    share.timer = undefined;
    const { clock } = this.environment;
    const see = (): void => {
      if (share.timer === undefined && share.calls.size > 0) this.#see(share, this.#now());
    };
    if (this.#now() - share.timerDue <= LATE_MS) see();
    else clock.setImmediate(() => clock.setImmediate(see));
  }

  #see(share: Share, now: number): void {
    if (!share.asking) return this.#serve(share, now);
    const waitMs = this.#answerDueIn(share, now);
    // It takes longer than any call may wait for it.
    if (waitMs <= 0) this.#serveWithoutStore(share, now);
    else this.#look(share, waitMs);
  }

  /** For how long the first call may still wait for the answer that is on its way, ms. */
  #answerDueIn({ first, askedAt }: Share, now: number): number {
    const since = first === undefined || first.patient ? askedAt : first.wanted.since;
    return since + (this.environment.rateStore?.commandTimeout ?? 0) - now;
  }

  #now(): number {
    return this.environment.clock.now();
  }
}
