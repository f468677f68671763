import { showByJson } from './show-by-json.js';
import type { RateLimiter } from '../policies/rate-limit/rate-limiter.js';
import type { Clock } from '../kernel/clock.js';

/**
 * One rate limit, to look at.
 *
 * @publicApi
 */
export class RateLimitHandle {
  static {
    showByJson(this);
  }

  readonly #limiter: RateLimiter;
  readonly #clock: Clock;

  constructor(limiter: RateLimiter, clock: Clock) {
    this.#limiter = limiter;
    this.#clock = clock;
  }

  /** The name it was given, or `Class.method`. */
  get name(): string {
    return this.#limiter.name;
  }

  /** How many calls may begin in {@link per} ms. */
  get limit(): number {
    return this.#limiter.options.limit;
  }

  /** The time that the limit is for, ms. */
  get per(): number {
    return this.#limiter.options.per;
  }

  /** How many calls may begin now; undefined where each key has a limit of its own, or the processes of a cluster share it. */
  get available(): number | undefined {
    return this.#limiter.availableAt(this.#clock.now());
  }

  /** How many calls wait for their turn. */
  get waiting(): number {
    return this.#limiter.waiting;
  }

  /** What it shows, as plain data. */
  toJSON(): Pick<RateLimitHandle, 'name' | 'limit' | 'per' | 'available' | 'waiting'> {
    const { name, limit, per, available, waiting } = this;
    return { name, limit, per, available, waiting };
  }
}
