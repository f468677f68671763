import { amount, ask } from '../../kernel/ask.js';
import type { Attempt } from '../../kernel/attempt.js';
import { refused, type Admission } from '../../kernel/guard.js';
import { keyOf } from '../../kernel/key-of.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { Bucket } from './bucket.js';
import { ClusterLimit } from './cluster/cluster-limit.js';
import { KeyedBuckets } from './keyed-buckets.js';
import type { ResolvedRateLimit } from './rate-limit.options.js';
import { Rate } from './rate.js';
import { Refusals } from './refusals.js';
import type { LimitedPlaces } from './limited-call.js';
import { WaitingCall } from './waiting-call.js';
import { ROUNDING_MS, WaitingLines } from './waiting-lines.js';

/** The buckets of one name and the calls that wait for them; shared by all methods that name it. */
export class RateLimiter {
  #options: ResolvedRateLimit;
  readonly #bucket: Bucket;
  readonly #keyed: KeyedBuckets | undefined;
  readonly #lines: WaitingLines;
  readonly #places: LimitedPlaces;
  readonly #refusals: Refusals;
  /** What asks the other processes; undefined: they have limits of their own. */
  readonly #cluster: ClusterLimit | undefined;
  /** Between how many processes the buckets divide the limit. */
  #processes = 1;
  readonly #costPlace: string;
  readonly #keyPlace: string;

  constructor(
    readonly name: string,
    options: ResolvedRateLimit,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#options = options;
    const { clock, lifecycle } = environment;
    this.#refusals = new Refusals(name, environment);
    this.#cluster = options.scope === 'cluster' ? new ClusterLimit(options, environment, this.#refusals) : undefined;
    this.#processes = this.#cluster?.processes ?? 1;
    this.#bucket = new Bucket(Rate.of(options, this.#processes));
    this.#keyed = options.key === undefined ? undefined : new KeyedBuckets(name, options, environment, this.#processes);
    this.#lines = new WaitingLines(clock);
    this.#places = { refusals: this.#refusals, lifecycle };
    this.#costPlace = `${name}, cost`;
    this.#keyPlace = `${name}, key`;
  }

  get options(): ResolvedRateLimit {
    return this.#options;
  }

  /**
   * Takes on other options. What was let through counts as so much of the new limit; who waits keeps its place, and begins
   * when the new rate gives it its turn.
   */
  reconfigure(options: ResolvedRateLimit): void {
    this.#options = options;
    this.#setRates();
    this.#cluster?.reconfigure(options);
    if (options.mode === 'metricsOnly') this.#lines.admitAll();
    else this.#lines.refresh();
  }

  #setRates(): void {
    const now = this.environment.clock.now();
    this.#bucket.reconfigure(Rate.of(this.#options, this.#processes), now);
    this.#keyed?.reconfigure(this.#options, now, this.#processes);
  }

  /** How many calls wait for their turn. */
  get waiting(): number {
    return this.#lines.size + (this.#cluster?.waiting ?? 0);
  }

  /** How many calls may begin at `now`; undefined where each key has a limit of its own, or other processes have a say. */
  availableAt(now: number): number | undefined {
    return this.#keyed === undefined && this.#cluster === undefined ? this.#bucket.availableAt(now) : undefined;
  }

  /** Whether something was used that time has not given back yet. */
  owesAt(now: number): boolean {
    return this.#bucket.committedUntil > now || this.#keyed?.owesAt(now) === true;
  }

  /** How many keys have a bucket. */
  get keys(): number {
    return this.#keyed?.size ?? 0;
  }

  /**
   * @param perAttempt what bounds wait and run of the attempt together, ms.
   */
  admit(call: Attempt, perAttempt: number): Admission {
    const cost = this.options.cost === undefined ? 1 : this.#costOf(call);
    if (cost === 0) return undefined;
    const now = call.since;
    const cluster = this.#cluster;
    if (cluster !== undefined && cluster.processes !== this.#processes) {
      this.#processes = cluster.processes;
      this.#setRates();
    }
    const bucket = this.#keyed === undefined ? this.#bucket : this.#bucketOf(call, this.#keyed, now);
    // The user's functions may have cut the call.
    if (call.aborted) return refused(call.reason);
    const metricsOnly = this.options.mode === 'metricsOnly' || call.rare?.underway === true;
    if (cost > bucket.rate.maxCost) {
      const error = this.#refusals.neverFits({ bucket, cost, metricsOnly });
      return metricsOnly ? undefined : refused(error);
    }
    if (cluster !== undefined) return cluster.admit({ call, bucket, cost, metricsOnly, perAttempt });
    // While somebody waits the next turn follows from the last one, however late the timer is.
    if (bucket.waiting === 0) bucket.settle(now);
    const waitMs = bucket.waitBehindAll(cost, now);
    if (waitMs <= ROUNDING_MS && bucket.waiting === 0) {
      bucket.take(cost);
      return undefined;
    }
    if (metricsOnly) return this.#judgeOnly(call, bucket, cost, Math.max(0, waitMs), perAttempt);
    if (this.options.onLimit === 'reject') return refused(this.#refusals.usedUp({ bucket, cost }, waitMs));
    return this.#wait(call, bucket, cost, Math.max(0, waitMs), perAttempt);
  }

  /** What would wait takes its turn now; what would be refused takes none. */
  #judgeOnly(call: Attempt, bucket: Bucket, cost: number, waitMs: number, perAttempt: number): undefined {
    const asked = { bucket, cost, metricsOnly: true };
    const { onLimit, maxWait = Infinity } = this.options;
    const boundMs = Math.min(maxWait, perAttempt);
    if (onLimit === 'reject') this.#refusals.usedUp(asked, waitMs);
    else if (call.rare?.probe === true) this.#refusals.notForProbes(asked, waitMs);
    else {
      const canMs = Math.min(boundMs, call.deadline - call.since);
      if (waitMs > canMs + ROUNDING_MS) this.#refusals.tooLate(asked, waitMs, waitMs, boundMs, canMs);
      else bucket.take(cost);
    }
  }

  #wait(call: Attempt, bucket: Bucket, cost: number, waitMs: number, perAttempt: number): Admission {
    const refusals = this.#refusals;
    if (this.environment.lifecycle.closing) return refused(refusals.shutDown());
    if (call.rare?.probe === true) return refused(refusals.notForProbes({ bucket, cost }, waitMs));
    const { since } = call;
    const boundMs = Math.min(this.options.maxWait ?? Infinity, perAttempt);
    const latest = Math.min(since + boundMs, call.deadline);
    if (since + waitMs > latest + ROUNDING_MS)
      return refused(refusals.tooLate({ bucket, cost }, waitMs, waitMs, boundMs, latest - since));
    return new WaitingCall(
      call,
      { bucket, cost, since, boundMs, latest, metricsOnly: false },
      this.#places,
      this.#lines,
    );
  }

  #costOf(call: Attempt): number {
    return ask(this.environment, this.#costPlace, amount, 1, () => this.options.cost?.(...call.args));
  }

  #bucketOf(call: Attempt, keyed: KeyedBuckets, now: number): Bucket {
    const key = keyOf(this.environment, this.#keyPlace, this.options.key, call.args);
    return key === undefined ? keyed.others : keyed.for(key, now);
  }
}
