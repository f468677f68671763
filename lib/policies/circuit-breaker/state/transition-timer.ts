import type { Timer } from '../../../kernel/clock.js';
import type { PolicyEnvironment } from '../../../kernel/policy.js';

/** A breaker that will change its state by time alone. */
export interface Transitional {
  /** Whether anybody listens for its changes. */
  readonly heard: boolean;
  /** When its state changes next, on the monotonic clock; undefined: not by time. */
  readonly nextTransitionAt: number | undefined;
  /** Records what the clock has brought about. */
  settle(now: number): void;
}

/** Breakers that reopen or begin to probe at nearly the same moment share a turn of the timer. */
const GRANULARITY_MS = 10;

/**
 * Tells listeners in time that a breaker went half-open, or that its hung probe was given up, although nobody calls.
 * One unref'd timer serves all breakers of an app; it exists only while something is open and somebody listens.
 */
export class TransitionTimer {
  readonly #watched = new Set<Transitional>();
  #timer: Timer | undefined;
  #dueAt = Infinity;

  constructor(private readonly environment: PolicyEnvironment) {
    environment.events.onFirstListener(() => this.#arm());
    environment.events.onLastListener(() => this.refresh());
    environment.lifecycle.onDispose(() => {
      this.#watched.clear();
      this.#disarm();
    });
  }

  /** Watches a breaker whose state has changed, if time alone will change it again. */
  follow(breaker: Transitional): void {
    if (breaker.nextTransitionAt === undefined) this.forget(breaker);
    else this.watch(breaker);
  }

  /** Watches a breaker until {@link forget}; to be called again when its next moment has changed. */
  watch(breaker: Transitional): void {
    if (this.environment.lifecycle.disposed) return;
    this.#watched.add(breaker);
    if (breaker.heard && (breaker.nextTransitionAt ?? Infinity) < this.#dueAt) this.#arm();
  }

  forget(breaker: Transitional): void {
    this.#watched.delete(breaker);
    if (this.#watched.size === 0) this.#disarm();
  }

  /** Fewer listen than before: without any there is nothing to wake up for. */
  refresh(): void {
    if (this.#timer !== undefined) this.#arm();
  }

  #arm(): void {
    const { clock, lifecycle } = this.environment;
    this.#disarm();
    if (lifecycle.disposed) return;
    for (const breaker of this.#watched) {
      if (breaker.heard) this.#dueAt = Math.min(this.#dueAt, breaker.nextTransitionAt ?? Infinity);
    }
    if (this.#dueAt === Infinity) return;
    const ms = Math.max(GRANULARITY_MS, Math.ceil(this.#dueAt - clock.now()));
    this.#timer = clock.setTimeout(() => this.#onTime(), Math.min(ms, 2 ** 31 - 1));
    this.#timer.unref();
  }

  #onTime(): void {
    const now = this.environment.clock.now();
    for (const breaker of [...this.#watched]) if ((breaker.nextTransitionAt ?? Infinity) <= now) breaker.settle(now);
    this.#arm();
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.environment.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueAt = Infinity;
  }
}

const timers = new WeakMap<PolicyEnvironment, TransitionTimer>();

/** The timer of an app. */
export function transitionTimerOf(environment: PolicyEnvironment): TransitionTimer {
  let timer = timers.get(environment);
  if (timer === undefined) timers.set(environment, (timer = new TransitionTimer(environment)));
  return timer;
}
