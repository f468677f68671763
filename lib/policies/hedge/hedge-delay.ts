import type { DeadlineQueue } from '../../kernel/deadline-queue.js';
import { deadlineQueue } from '../../kernel/deadline-queues.js';
import { LatencyHistogram } from '../../kernel/latency-histogram.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { HedgePercentile } from './hedge.options.js';

/** How far back a percentile looks: a minute. */
const BUCKETS = 6;
const BUCKET_MS = 10_000;
/** A percentile is read once in this time at most: a reading looks at every bucket. */
const LOOK_EVERY_MS = 1_000;
/** Fewer latencies than this tell nothing, and this many tell enough about any percentile. */
const ENOUGH = 20;
const PLENTY = 100;

/** A delay that is in force, with the timer of all calls that wait for it. */
export interface Delay {
  readonly ms: number;
  readonly queue: DeadlineQueue;
}

/**
 * How long to wait for an answer before the next attempt begins. Calls with the same delay share one timer: a delay
 * that has changed brings a queue of its own, and the one before it ends with its last call.
 */
export class HedgeDelay {
  readonly #after: number | HedgePercentile;
  readonly #environment: PolicyEnvironment;
  readonly #latencies: LatencyHistogram | undefined;
  #current: Delay | undefined;
  #lookAt = -Infinity;

  constructor(after: number | HedgePercentile, environment: PolicyEnvironment) {
    this.#after = after;
    this.#environment = environment;
    this.#latencies = typeof after === 'number' ? undefined : new LatencyHistogram(BUCKET_MS, BUCKETS);
    this.#become(typeof after === 'number' ? after : after.max);
  }

  /** Whether it wants to be told of latencies. */
  get measures(): boolean {
    return this.#latencies !== undefined;
  }

  /** The delay for a call that begins at `now`; undefined while nobody knows how long is long. */
  at(now: number): Delay | undefined {
    if (typeof this.#after !== 'number' && now >= this.#lookAt) this.#look(this.#after, now);
    return this.#current;
  }

  /** Takes note of a first attempt that ran for `latencyMs`. */
  record(latencyMs: number, now: number): void {
    this.#latencies?.record(latencyMs, now);
  }

  #look({ percentile, min = 1, max = Infinity }: HedgePercentile, now: number): void {
    this.#lookAt = now + LOOK_EVERY_MS;
    const { count, ms } = (this.#latencies as LatencyHistogram).bound(percentile / 100, now);
    const enough = Math.min(PLENTY, Math.max(ENOUGH, Math.ceil(100 / (100 - percentile))));
    this.#become(count < enough ? (max === Infinity ? undefined : max) : Math.min(max, Math.max(min, ms)));
  }

  #become(ms: number | undefined): void {
    if (ms === this.#current?.ms) return;
    this.#current = ms === undefined ? undefined : { ms, queue: deadlineQueue(this.#environment, ms) };
  }
}
