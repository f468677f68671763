import type { ResolvedCircuitBreaker } from '../circuit-breaker.options.js';

/** A call that lies in itself deeper than this is a loop. */
const MAX_NESTED = 100;

/** The calls that a half-open breaker lets through, and how they end. */
export class Probes {
  /** When each that runs began; at most `halfOpenCalls`. */
  #running: number[] = [];
  #succeeded = 0;
  #failed = 0;
  /** How deep calls of this breaker were found to lie in one another. */
  #nested = 0;

  /** How many run. */
  get running(): number {
    return this.#running.length;
  }

  /** Lets one begin at `now`, if it is wanted. */
  admit(now: number, { halfOpenCalls }: ResolvedCircuitBreaker): boolean {
    if (this.#running.length + this.#judged >= halfOpenCalls + this.#nested) return false;
    this.#running.push(now);
    return true;
  }

  /** Room for one more: what a probe calls meets the same breaker again. */
  nest(): void {
    if (this.#nested < MAX_NESTED) this.#nested++;
  }

  /** One that began at `since` is over, or counts nowhere. */
  end(since: number): void {
    const index = this.#running.indexOf(since);
    if (index >= 0) this.#running.splice(index, 1);
  }

  succeeded(since: number): void {
    this.end(since);
    this.#succeeded++;
  }

  failed(since: number): void {
    this.end(since);
    this.#failed++;
  }

  /** When the oldest of them has taken too long; Infinity where none runs. */
  hungAt({ halfOpenMaxWait }: ResolvedCircuitBreaker): number {
    return this.#running.length === 0 ? Infinity : Math.min(...this.#running) + halfOpenMaxWait;
  }

  /** Why the breaker is to open again, where the last of them failed for `reason`; undefined: no more failed than may. */
  whyTooManyFailed(reason: string, options: ResolvedCircuitBreaker): string | undefined {
    const { halfOpenCalls, halfOpenErrorThresholdPercentage: limit } = options;
    if (this.#failed * 100 <= limit * halfOpenCalls) return undefined;
    return limit === 0 ? reason : `${this.#failed} of ${halfOpenCalls} probes failed, limit ${limit} %: ${reason}`;
  }

  /** What has become of them, once there are as many as it takes; undefined before. */
  result({ halfOpenCalls }: ResolvedCircuitBreaker): string | undefined {
    if (this.#judged < halfOpenCalls) return undefined;
    return `${this.#succeeded} of ${this.#judged} probes succeeded`;
  }

  /** Another round begins; how deep its calls lie in one another is known already. */
  restart(): void {
    this.#running = [];
    this.#succeeded = this.#failed = 0;
  }

  get #judged(): number {
    return this.#succeeded + this.#failed;
  }
}
