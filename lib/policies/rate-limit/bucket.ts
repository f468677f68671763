import type { Rate } from './rate.js';

/**
 * A token bucket as one moment: the theoretical arrival time of the generic cell rate algorithm, at which everything
 * that was let through has had its time. It is full when that moment has passed, so nothing ever refills it.
 *
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export class Bucket {
  /** How many calls wait for their turn. */
  waiting = 0;
  /** What they cost together. */
  #backlog = 0;
  #permits: number;
  /**
   * The theoretical arrival time, as a moment of the monotonic clock and the time from then, ms. The moment moves along:
   * a sum of many small times and a long uptime would be wrong by whole calls.
   */
  #since = -Infinity;
  #owedMs = 0;

  #rate: Rate;

  constructor(
    rate: Rate,
    readonly key?: string,
  ) {
    this.#rate = rate;
    this.#permits = rate.warmUp?.maxPermits ?? 0;
  }

  get rate(): Rate {
    return this.#rate;
  }

  /**
   * Runs by another rate from now on. What was let through stays so in number, as stored permits do in Guava's
   * `setRate`, and a whole burst at most: a rate that was wrong by far must not be felt long after it was mended.
   */
  reconfigure(rate: Rate, now: number): void {
    this.settle(now);
    const used = Math.min(this.#owedMs / this.#rate.intervalMs, rate.maxCost);
    this.#owedMs = used > 0 ? used * rate.intervalMs : 0;
    this.#rate = rate;
    this.#permits = Math.min(this.#permits, rate.warmUp?.maxPermits ?? 0);
  }

  /** The theoretical arrival time; it never goes back. */
  get paidAt(): number {
    return this.#since + this.#owedMs;
  }

  /** Notes that it was not used before `now`. */
  settle(now: number): void {
    const passedMs = now - this.#since;
    if (passedMs <= 0) return;
    const idleMs = passedMs - this.#owedMs;
    const { warmUp } = this.rate;
    if (idleMs > 0 && warmUp !== undefined) this.#permits = warmUp.cooled(this.#permits, idleMs);
    this.#since = now;
    this.#owedMs = Math.max(0, -idleMs);
  }

  /** Begins with what another owes until `moment`. */
  owe(moment: number, now: number): void {
    this.#since = now;
    this.#owedMs = moment - now;
  }

  /** How long after `now` a call of `cost` may begin that comes now, behind those that wait. Whoever asks has settled it. */
  waitBehindAll(cost: number, now: number): number {
    return this.#turn(cost, this.#backlog, now);
  }

  /** How long after `now` the first of those that wait may begin; negative: it might have begun before. */
  waitOfFirst(cost: number, now: number): number {
    return this.#turn(cost, 0, now);
  }

  /** When the first of those that wait may begin. */
  turnOfFirst(cost: number): number {
    return this.#turn(cost, 0, 0);
  }

  /** When all that was let through and all that waits will have had its time. */
  get committedUntil(): number {
    return this.paidAt + this.#timeFor(this.#backlog, 0);
  }

  /** How many calls of cost 1 may begin at `now`. */
  availableAt(now: number): number {
    const owedMs = Math.max(0, this.committedUntil - now);
    const { toleranceMs, intervalMs, maxCost } = this.rate;
    if (toleranceMs === 0) return owedMs === 0 ? 1 : 0;
    return Math.min(maxCost, Math.max(0, (toleranceMs - owedMs) / intervalMs));
  }

  take(cost: number): void {
    this.#owedMs += this.#timeFor(cost, 0);
    if (this.rate.warmUp !== undefined) this.#permits = Math.max(0, this.#permits - cost);
  }

  enter(cost: number): void {
    this.waiting++;
    this.#backlog += cost;
  }

  leave(cost: number): void {
    // What adding and subtracting leaves behind must not stay.
    this.#backlog = --this.waiting === 0 ? 0 : this.#backlog - cost;
  }

  /**
   * A call begins when the bucket holds its cost; or else when it is full, since in a cold start one call can take
   * longer than a whole burst does in steady use.
   */
  #turn(cost: number, ahead: number, from: number): number {
    const before = ahead === 0 ? 0 : this.#timeFor(ahead, 0);
    const owed = this.#owedMs + before + Math.min(0, this.#timeFor(cost, ahead) - this.rate.toleranceMs);
    return this.#since - from + owed;
  }

  #timeFor(cost: number, ahead: number): number {
    const { warmUp, intervalMs } = this.rate;
    return warmUp === undefined ? cost * intervalMs : warmUp.timeFor(cost, Math.max(0, this.#permits - ahead));
  }
}
