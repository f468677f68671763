import { showByJson } from './show-by-json.js';
import type { CircuitState } from '../events/resilience-event.js';
import type { Breaker } from '../policies/circuit-breaker/breaker.js';
import type { BreakerSnapshot } from '../policies/circuit-breaker/breaker-snapshot.js';
import type { BreakerStats } from '../policies/circuit-breaker/breaker-stats.js';

/**
 * One circuit breaker, to look at and to steer.
 *
 * @publicApi
 */
export class CircuitBreakerHandle {
  static {
    showByJson(this);
  }

  constructor(
    /** The breaker itself, an opossum `CircuitBreaker`, for tools that know opossum. */
    readonly breaker: Breaker,
  ) {}

  /** The name it was given, or `Class.method`; `name[key]` for a key of it. */
  get name(): string {
    return this.breaker.name;
  }

  /** The state now: half-open as soon as the reset time is over. */
  get state(): CircuitState {
    return this.breaker.state;
  }

  /** The numbers of the rolling window. */
  get stats(): BreakerStats {
    return this.breaker.stats;
  }

  /** Opens it until {@link forceClose}, {@link reset} or {@link enable}, whatever rules say. */
  forceOpen(reason?: string): void {
    this.breaker.forceOpen(reason);
  }

  /**
   * Takes back what was ordered by hand, closes it now and clears its window; it judges on as before, unless a rule has
   * disabled it.
   */
  forceClose(): void {
    this.breaker.forceClose();
  }

  /** Forgets everything it has counted, takes back what was ordered by hand, and closes it. */
  reset(): void {
    this.breaker.reset();
  }

  /** Lets every call through and counts nothing, until {@link enable}. */
  disable(): void {
    this.breaker.disable();
  }

  /** Takes back what was ordered by hand and judges again, with a clean window. */
  enable(): void {
    this.breaker.enable();
  }

  /** Its state as plain data, to be {@link restore}d elsewhere or later. */
  snapshot(): BreakerSnapshot {
    return this.breaker.snapshot();
  }

  /**
   * Takes on a state; the time to the next probe is right, and at most `resetTimeout`.
   *
   * @throws ResilienceConfigurationError for what is no snapshot.
   */
  restore(snapshot: BreakerSnapshot): void {
    this.breaker.restore(snapshot);
  }

  /** What it shows, as plain data. */
  toJSON(): Pick<CircuitBreakerHandle, 'name' | 'state' | 'stats'> {
    const { name, state, stats } = this;
    return { name, state, stats };
  }
}
