import { BucketRing } from '../bucket-ring.js';
import type { ResolvedRetryBudget } from './retry-budget.options.js';

/** How far back earnings bound what it can hold. */
const WINDOW_S = 10;
const SECOND_MS = 1_000;
/** Sums of fractions miss a whole token by less than this. */
const ROUNDING = 1e-9;

/**
 * A bucket of tokens: first attempts and time fill it, each further attempt takes one. It holds what was earned in the
 * last 10 s, but never less than `min`, so that a long good time does not save up for a storm.
 *
 * A first attempt costs it one addition: no timer, no reading of the clock, nothing allocated.
 *
 * @see https://finagle.github.io/blog/2016/02/08/retry-budgets Finagle's RetryBudget
 * @see https://github.com/grpc/proposal/blob/master/A6-client-retries.md#throttling-retry-attempts-and-hedged-rpcs
 * gRPC, where retries and hedges share one bucket
 */
export class RetryBudget {
  #options: ResolvedRetryBudget;
  private tokens: number;
  /** First attempts of the last seconds. */
  private readonly firsts = new BucketRing(SECOND_MS, WINDOW_S, 1);
  /** First attempts of the current second that are not paid out yet. */
  private pending = 0;
  /** When time was last paid out. */
  private paidAt: number;

  constructor(options: ResolvedRetryBudget, now: number) {
    this.#options = options;
    this.tokens = options.min;
    this.firsts.advance(now);
    this.paidAt = now;
  }

  get options(): ResolvedRetryBudget {
    return this.#options;
  }

  /** Takes on other options, full as at the start. */
  configure(options: ResolvedRetryBudget): void {
    this.#options = options;
    this.tokens = options.min;
  }

  /** Takes on other options in mid-use: what it holds stays, as far as it still fits. */
  reconfigure(options: ResolvedRetryBudget, now: number): void {
    this.advance(now);
    this.#options = options;
    this.put(0);
  }

  /** What it holds at `now`. */
  tokensAt(now: number): number {
    this.advance(now);
    return this.tokens;
  }

  /** The most that it can hold at `now`. */
  capacityAt(now: number): number {
    this.advance(now);
    return this.capacity();
  }

  /** Earns by a first attempt that began at `startedAt`. */
  earn(startedAt: number): void {
    if (startedAt >= this.firsts.endsAt) this.advance(startedAt);
    this.pending++;
  }

  /** Takes the token of a further attempt; false where there is none. */
  take(now: number): boolean {
    this.advance(now);
    if (this.tokens < 1 - ROUNDING) return false;
    this.tokens -= 1;
    return true;
  }

  /** Gives back the token of an attempt that was not made. */
  giveBack(): void {
    this.count();
    this.put(1);
  }

  private put(tokens: number): void {
    this.tokens = Math.min(this.tokens + tokens, this.capacity());
  }

  private capacity(): number {
    const { ratio, perSecond, min } = this.#options;
    return Math.max(min, this.firsts.total(0) * ratio + WINDOW_S * perSecond);
  }

  /** Pays out the first attempts since it was last asked; within one second the order of payments does not matter. */
  private count(): void {
    if (this.pending === 0) return;
    this.firsts.add(0, this.pending);
    const earned = this.pending * this.#options.ratio;
    this.pending = 0;
    this.put(earned);
  }

  /** Pays out the time until `now`, and lets go of what was earned too long ago. */
  private advance(now: number): void {
    this.count();
    if (now <= this.paidAt) return;
    this.firsts.advance(now);
    const earned = ((now - this.paidAt) / SECOND_MS) * this.#options.perSecond;
    this.paidAt = now;
    // With no first attempt in between, what it can hold has only shrunk, so one look at its end is enough.
    this.put(earned);
  }
}
