/** So many a second, after a quiet second as many at once; without a timer. */
export class TokenBucket {
  #tokens: number;
  #filledAt: number;

  constructor(
    private readonly perSecond: number,
    now: number,
  ) {
    this.#tokens = this.#most;
    this.#filledAt = now;
  }

  /** Takes one, unless fewer than `kept` (a share of all) would be left. */
  take(now: number, kept: number): boolean {
    this.#tokens = Math.min(this.#most, this.#tokens + ((now - this.#filledAt) * this.perSecond) / 1_000);
    this.#filledAt = now;
    if (this.#tokens < 1 + kept * (this.#most - 1)) return false;
    this.#tokens--;
    return true;
  }

  get #most(): number {
    return Math.max(1, this.perSecond);
  }
}
