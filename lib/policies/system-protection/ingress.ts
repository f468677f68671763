import { AdaptiveLimit } from '../../kernel/adaptive-limit/adaptive-limit.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { LoopCap, type LoopDelay } from './loop-cap.js';
import { LoopTurns } from './loop-turns.js';
import { PriorityShares } from './priority-shares.js';
import type { ResolvedSystemProtection } from './system-protection.options.js';
import { TokenBucket } from './token-bucket.js';

/** Which limit a request met. */
export type ShedReason = 'concurrency' | 'eventLoopDelay' | 'rate';

/** By this name events speak of it. */
const NAME = 'ingress';

/**
 * Counts the requests in the process and decides who comes in. Nothing waits here: what cannot be worked on now is told
 * so at once, since a client knows better what to do than a queue.
 */
export class Ingress {
  #active = 0;
  readonly #shed: Record<ShedReason, number> = { concurrency: 0, eventLoopDelay: 0, rate: 0 };
  readonly #adaptive: AdaptiveLimit | undefined;
  readonly #fixed: number;
  readonly #turns: LoopTurns | undefined;
  /** Half of what the loop may be held up: a request also waits for the turn before its own. */
  readonly #turnMs: number;
  readonly #loop: LoopCap;
  readonly #rate: TokenBucket | undefined;
  readonly #shares: PriorityShares | undefined;

  constructor(
    { concurrency, eventLoopDelay, rate, priority }: ResolvedSystemProtection,
    private readonly environment: PolicyEnvironment,
    loop: LoopDelay,
  ) {
    const { clock } = environment;
    const now = clock.now();
    this.#fixed = typeof concurrency === 'number' ? concurrency : Infinity;
    this.#adaptive =
      typeof concurrency === 'object'
        ? new AdaptiveLimit(concurrency.options, now, (limit, before) => this.#tellLimit(limit, before))
        : undefined;
    this.#turnMs = eventLoopDelay === false ? Infinity : eventLoopDelay / 2;
    this.#turns = eventLoopDelay === false ? undefined : new LoopTurns(clock, this.#turnMs);
    this.#loop = new LoopCap(loop, eventLoopDelay === false ? undefined : eventLoopDelay, now);
    this.#rate = rate === false ? undefined : new TokenBucket(rate, now);
    this.#shares = priority === undefined ? undefined : new PriorityShares();
  }

  /** How many requests are worked on. */
  get active(): number {
    return this.#active;
  }

  /** How many may be worked on at once; Infinity where nothing limits them. */
  get limit(): number {
    if (this.#adaptive !== undefined) return this.#adaptive.current;
    const { startRamp } = this.environment;
    return startRamp === undefined ? this.#fixed : startRamp.of(this.#fixed);
  }

  /** How long the event loop was held up of late, on average, ms. */
  get loopDelayMs(): number {
    return this.#loop.delayMs;
  }

  /** How many requests were turned away. */
  get shed(): number {
    return Object.values(this.#shed).reduce((all, count) => all + count, 0);
  }

  /** How many of them by each limit. */
  get shedBy(): Readonly<Record<ShedReason, number>> {
    return this.#shed;
  }

  /** Lets a request in, or gives the limit that it met. Whoever was let in must be {@link leave | given back}. */
  enter(now: number, priority: number): ShedReason | undefined {
    const share = this.#shareOf(priority, now);
    const met = this.#meets(now, share);
    if (met === undefined) this.resume(now);
    else this.#turnAway(met, priority);
    return met;
  }

  /**
   * Lets a request go on that has {@link leaveUnmeasured | given its place back} to wait for its client, before any work
   * was done for it; or gives the limit that it met.
   */
  reenter(now: number, priority: number): ShedReason | undefined {
    const met = this.#meetsRoom(now, this.#shareOf(priority, now));
    if (met === undefined) this.resume(now);
    else this.#turnAway(met, priority);
    return met;
  }

  /** Takes a place for work that cannot be turned away any more. */
  resume(now: number): void {
    this.#active++;
    this.#adaptive?.began(now, this.#active);
  }

  /**
   * A request is over.
   *
   * @param whole whether it was answered; one that failed or was given up counts only if it took longer than usual.
   */
  leave(enteredAt: number, whole: boolean): void {
    if (this.#adaptive !== undefined) {
      const now = this.environment.clock.now();
      // Our own loop's delay says nothing about what the requests wait for.
      const latencyMs = Math.max(0, now - enteredAt - this.#loop.delayMs);
      this.#adaptive.ended(now, latencyMs, this.#active, whole ? 'done' : 'failed');
    }
    this.#active--;
  }

  /** A request is over, or needs no more work, and the time that it took tells nothing. */
  leaveUnmeasured(): void {
    this.#active--;
  }

  #meets(now: number, share: number): ShedReason | undefined {
    const turnAge = this.#turns?.age(now) ?? 0;
    if (turnAge >= this.#turnMs * share && this.#turns?.standing(now) === true) return 'eventLoopDelay';
    return this.#meetsRoom(now, share) ?? (this.#rate?.take(now, 1 - share) === false ? 'rate' : undefined);
  }

  #meetsRoom(now: number, share: number): ShedReason | undefined {
    const cap = Math.min(this.#loop.at(now, this.#active), this.limit);
    // One at least may always come in.
    if (this.#active > 0 && this.#active >= cap * share) return cap < this.limit ? 'eventLoopDelay' : 'concurrency';
    return undefined;
  }

  #shareOf(priority: number, now: number): number {
    return this.#shares === undefined ? 1 : this.#shares.shareOf(priority, now);
  }

  #turnAway(met: ShedReason, priority: number): void {
    this.#shed[met]++;
    if (met === 'concurrency') this.#adaptive?.wanted();
    if (this.environment.events.hearsChanges) this.#tellShed(met, priority);
  }

  #tellShed(reason: ShedReason, priority: number): void {
    const { active, limit, loopDelayMs } = this;
    const details = { active, limit, loopDelayMs, priority };
    this.environment.events.emitChange({ type: 'shed', name: NAME, policy: 'systemProtection', reason, details });
  }

  #tellLimit(limit: number, before: number): void {
    const { events } = this.environment;
    if (events.active) events.emit({ type: 'limitChange', name: NAME, policy: 'systemProtection', limit, before });
  }
}
