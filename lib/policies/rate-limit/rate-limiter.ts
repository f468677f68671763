import { ShutdownException } from '../../errors/shutdown.exception.js';
import type { RateLimitExceededException } from '../../errors/rate-limit-exceeded.exception.js';
import type { Call } from '../call.js';
import { ask, type PolicyEnvironment, type Waiter } from '../policy.js';
import { Bucket } from './bucket.js';
import { KeyedBuckets } from './keyed-buckets.js';
import type { ResolvedRateLimit } from './rate-limit.options.js';
import { Rate } from './rate.js';
import { refuse } from './refusal.js';
import { ROUNDING_MS, WaitingLines, type InLine } from './waiting-lines.js';

/** The buckets of one name and the calls that wait for them; shared by all methods that name it. */
export class RateLimiter {
  readonly #bucket: Bucket;
  readonly #keyed: KeyedBuckets | undefined;
  readonly #lines: WaitingLines;
  readonly #costPlace: string;
  readonly #keyPlace: string;

  constructor(
    readonly name: string,
    readonly options: ResolvedRateLimit,
    /** @internal */ readonly environment: PolicyEnvironment,
  ) {
    this.#bucket = new Bucket(Rate.of(options));
    this.#keyed = options.key === undefined ? undefined : new KeyedBuckets(name, options, environment);
    this.#lines = new WaitingLines(environment.clock);
    this.#costPlace = `${name}, cost`;
    this.#keyPlace = `${name}, key`;
  }

  /** How many calls wait for their turn. */
  get waiting(): number {
    return this.#lines.size;
  }

  /** How many keys have a bucket. */
  get keys(): number {
    return this.#keyed?.size ?? 0;
  }

  /**
   * @param perAttempt what bounds wait and run of the attempt together, ms.
   * @returns undefined: the call may begin now; else a promise of its turn, which rejects when there is none.
   */
  admit(call: Call, perAttempt: number): Promise<void> | undefined {
    const cost = this.options.cost === undefined ? 1 : this.#costOf(call);
    if (cost === 0) return undefined;
    const now = call.instant();
    const bucket = this.#keyed === undefined ? this.#bucket : this.#bucketOf(call, this.#keyed, now);
    if (cost > bucket.rate.maxCost) return Promise.reject(this.#neverFits(bucket, cost));
    // While somebody waits the next turn follows from the last one, however late the timer is.
    if (bucket.waiting === 0) bucket.settle(now);
    const turnAt = bucket.turnBehindAll(cost);
    if (turnAt - now <= ROUNDING_MS && bucket.waiting === 0) {
      bucket.take(cost);
      return undefined;
    }
    const waitMs = Math.max(0, turnAt - now);
    if (this.options.onLimit === 'reject') return Promise.reject(this.#usedUp(bucket, cost, waitMs));
    return this.#wait(call, bucket, { cost, now, waitMs, perAttempt });
  }

  /** @internal */
  leave(call: InLine): void {
    this.#lines.leave(call);
  }

  /** @internal */
  tooLate(
    bucket: Bucket,
    { cost, waitMs, leftMs = waitMs, boundMs }: { cost: number; waitMs: number; leftMs?: number; boundMs: number },
  ): RateLimitExceededException {
    // Where a new call would wait no longer than it may, only the time left of this one was too short.
    const retryAfterMs = wholeMs(leftMs > boundMs ? leftMs - boundMs : leftMs);
    const why = `the call's turn would come ${shown(waitMs)} after it came, later than it can wait`;
    return refuse(this.name, { bucket, cost, waitMs, retryAfterMs, why }, this.environment);
  }

  /** @internal */
  shutDown(): ShutdownException {
    const message = `${this.name} was waiting for its rate limit: the app is shutting down`;
    return new ShutdownException({ policy: 'rateLimit', instanceName: this.name, message });
  }

  #wait(
    call: Call,
    bucket: Bucket,
    { cost, now, waitMs, perAttempt }: { cost: number; now: number; waitMs: number; perAttempt: number },
  ): Promise<void> {
    if (this.environment.lifecycle.closing) return Promise.reject(this.shutDown());
    if (call.probe) return Promise.reject(this.#notForProbes(bucket, cost, waitMs));
    const boundMs = Math.min(this.options.maxWait ?? Infinity, perAttempt);
    const latest = Math.min(now + boundMs, call.deadline);
    if (now + waitMs > latest + ROUNDING_MS) return Promise.reject(this.tooLate(bucket, { cost, waitMs, boundMs }));
    call.waitingSince = now;
    return new Promise((resolve, reject) => {
      const waiting = new WaitingCall(this, call, bucket, cost, latest, boundMs, resolve, reject);
      this.#lines.join(waiting);
      waiting.begin();
    });
  }

  #usedUp(bucket: Bucket, cost: number, waitMs: number): RateLimitExceededException {
    const why = `used up; ${costing(cost)} may begin in ${shown(waitMs)}`;
    return refuse(this.name, { bucket, cost, waitMs, retryAfterMs: wholeMs(waitMs), why }, this.environment);
  }

  #notForProbes(bucket: Bucket, cost: number, waitMs: number): RateLimitExceededException {
    const why = `a probe of a half-open breaker does not wait, and its turn would come in ${shown(waitMs)}`;
    return refuse(this.name, { bucket, cost, waitMs, retryAfterMs: wholeMs(waitMs), why }, this.environment);
  }

  #neverFits(bucket: Bucket, cost: number): RateLimitExceededException {
    const why = `${costing(cost)} never fits`;
    return refuse(this.name, { bucket, cost, waitMs: undefined, retryAfterMs: undefined, why }, this.environment);
  }

  #costOf(call: Call): number {
    const value: unknown = ask(this.environment, this.#costPlace, 1, () => this.options.cost?.(...call.args));
    if (typeof value === 'number' && value >= 0 && value < Infinity) return value;
    const error = new RangeError(`expected a finite number from 0, got ${String(value)}`);
    this.environment.reportCallback(this.#costPlace, error);
    return 1;
  }

  #bucketOf(call: Call, keyed: KeyedBuckets, now: number): Bucket {
    const key = ask(this.environment, this.#keyPlace, undefined, () => {
      const value = this.options.key?.(...call.args);
      return value === undefined ? undefined : String(value);
    });
    return key === undefined ? keyed.others : keyed.for(key, now);
  }
}

/** Ends when its turn comes, or the call is cut. */
class WaitingCall implements InLine, Waiter {
  readonly #since: number;

  constructor(
    private readonly limiter: RateLimiter,
    private readonly call: Call,
    readonly bucket: Bucket,
    readonly cost: number,
    readonly latest: number,
    private readonly boundMs: number,
    private readonly onTurn: () => void,
    private readonly onCut: (error: unknown) => void,
  ) {
    this.#since = call.instant();
  }

  begin(): void {
    this.call.waitingRoom?.enter(this.call);
    this.limiter.environment.lifecycle.add(this);
    this.call.onAbort(this.#cut);
  }

  admit(): void {
    this.#leave();
    this.call.waited();
    this.onTurn();
  }

  expire(turnAt: number, now: number): void {
    const { cost, boundMs } = this;
    const times = { cost, waitMs: turnAt - this.#since, leftMs: turnAt - now, boundMs };
    this.#cut(this.limiter.tooLate(this.bucket, times));
  }

  end(): void {
    this.#cut(this.limiter.shutDown());
  }

  readonly #cut = (reason: unknown): void => {
    this.#leave();
    this.onCut(reason);
  };

  #leave(): void {
    this.limiter.leave(this);
    this.call.offAbort(this.#cut);
    this.call.waitingRoom?.leave(this.call);
    this.limiter.environment.lifecycle.remove(this);
  }
}

function costing(cost: number): string {
  return cost === 1 ? 'a call' : `a call that costs ${cost}`;
}

/** Whole ms after which a call is let through, and not sooner. */
function wholeMs(ms: number): number {
  return Math.ceil(ms - ROUNDING_MS);
}

function shown(ms: number): string {
  return `${wholeMs(ms)} ms`;
}
