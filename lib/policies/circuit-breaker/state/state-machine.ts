import type { CircuitState } from '../../../events/resilience-event.js';
import { ClockedState, type RecordedState } from './clocked-state.js';
import type { Opening } from './open-times.js';
import { Probes } from './probes.js';

/** Whose states they are. It is told when one is entered, with the moment at which it came about. */
export interface Transitioning extends Opening {
  onTransition(from: CircuitState, to: CircuitState, reason: string, at: number): void;
}

/** A state that lies over the breaker's own. */
export type OrderedState = 'forcedOpen' | 'disabled';

/**
 * ```
 *            trip                    reset time over
 *  closed ---------> open -------------------------------> halfOpen
 *    ^                ^                                        |
 *    |                +--- too many probes failed, or one hung-+
 *    +------------------------- enough probes succeeded -------+
 *
 *  forcedOpen and disabled are ordered: they lie over the breaker's own state, which is there again after them.
 * ```
 * What the clock brings about is recorded at the next admission, with the moment at which it came about.
 */
export class StateMachine extends ClockedState<Transitioning> {
  /** Whether every call begins: then {@link settle} and {@link admit} need not be asked. */
  steady = true;
  /** Changes with each transition: an outcome counts only in the epoch in which its call began. */
  epoch = 0;
  /** Whether its probes have closed it, so that the share of admitted calls grows. */
  private recovering = false;

  /** @param ordered where it is made under an order. */
  constructor(breaker: Transitioning, now: number, ordered: OrderedState | undefined) {
    super(breaker, now);
    if (ordered === undefined) return;
    this.own = { state: 'closed', since: now, reason: '' };
    this.record(ordered);
  }

  /** Records what the clock has brought about. */
  settle(now: number): void {
    if (this.state === 'halfOpen') {
      const hung = this.hungAt();
      const { halfOpenMaxWait } = this.breaker.options;
      if (now >= hung) this.trip(hung, `a probe gave no answer within ${halfOpenMaxWait} ms`, 0);
    }
    if (this.state === 'open') {
      const over = this.since + this.openMs;
      if (now >= over) this.enter('halfOpen', 'the reset time is over', over);
    }
  }

  /** Whether a call may begin; a probe takes a permit with it. To be asked after {@link settle}. */
  admit(now: number): boolean {
    switch (this.state) {
      case 'closed':
        return this.steady || this.inShare(now);
      case 'halfOpen':
        return (this.probes ??= new Probes()).admit(now, this.breaker.options);
      case 'disabled':
        return true;
      default:
        return false;
    }
  }

  /**
   * A probe was refused by its own breaker: what it calls meets this breaker again. Without room for the inner call no
   * probe could ever succeed.
   */
  allowNested(): void {
    if (this.state === 'halfOpen') this.probes?.nest();
  }

  /** Hands back the permit that a probe took at `since`. */
  handBack(since: number): void {
    this.probes?.end(since);
  }

  /** A probe that began at `since` succeeded. */
  probeSucceeded(since: number, now: number): void {
    this.probes?.succeeded(since);
    this.closeIfAllAreJudged(now);
  }

  /**
   * A probe that began at `since` failed, for `reason`.
   *
   * @returns why it is to open again; undefined: as many may fail.
   */
  probeFailed(since: number, now: number, reason: string): string | undefined {
    this.probes?.failed(since);
    const tooMany = this.probes?.whyTooManyFailed(reason, this.breaker.options);
    if (tooMany === undefined) this.closeIfAllAreJudged(now);
    return tooMany;
  }

  /** Opens until the reset time is over, or as long as the dependency asked for. */
  trip(at: number, reason: string, askedForMs: number): void {
    this.openMs = Math.max(this.nextOpenTime(), askedForMs);
    this.openingsInARow++;
    this.openTimes?.replan();
    this.enter('open', reason, at);
  }

  /** Closes it wholly; under an order it is closed once the order is over. */
  close(now: number, reason: string): void {
    this.#close(now, reason, false);
  }

  /**
   * Takes on a state of its own from elsewhere; under an order it shows once the order is over.
   *
   * @param left time to the next probe, ms; an open breaker waits `resetTimeout` at most.
   * @param openSince when it opened, on the monotonic clock.
   */
  restore(
    state: 'closed' | 'open' | 'halfOpen',
    reason: string,
    left: number,
    openings: number,
    now: number,
    openSince: number,
  ): void {
    this.recovering = false;
    this.openingsInARow = openings;
    // A half-open breaker has no probes of its own yet: it is open with no time left.
    const own = state === 'closed' ? 'closed' : 'open';
    const since = state === 'open' ? openSince : now;
    const longest = state === 'open' ? this.times().withoutJitter(Math.max(1, openings)) : 0;
    this.openMs = state === 'open' ? now - since + Math.min(left, longest) : 0;
    if (this.own === undefined) this.enter(own, reason, now, since);
    else this.own = { state: own, since, reason };
  }

  /** Says since when it is forced open, where that began elsewhere. */
  backdate(since: number): void {
    if (this.state === 'forcedOpen') this.since = since;
  }

  /** Puts an ordered state over its own. */
  order(state: OrderedState, now: number, reason: string): void {
    if (this.own === undefined) {
      this.settle(now);
      // The probes of a half-open breaker are not judged any more: it waits for others, and for nothing else.
      if (this.state === 'halfOpen') this.openMs = 0;
      const own = this.state === 'closed' ? 'closed' : 'open';
      this.own = { state: own, since: this.since, reason: this.why };
    }
    this.enter(state, reason, now);
  }

  /** Takes the order away: it is what it would be without, its time having run on. */
  release(now: number, told?: string): void {
    if (this.own === undefined) return;
    const { state, since, reason } = this.own;
    this.own = undefined;
    if (state === 'closed') return this.enter('closed', reason, now, since, told ?? reason);
    const over = now >= since + this.openMs;
    this.enter(over ? 'halfOpen' : 'open', reason, now, over ? now : since, told ?? reason);
  }

  /** Lets the next probe of an open breaker begin at `at`. */
  probeAt(at: number): void {
    if (this.state === 'open') this.openMs = Math.max(0, at - this.since);
  }

  /** Lets no call begin any more, whatever comes: it shows the state that it has now, and enters no other. */
  shutDown(now: number): void {
    const since = this.sinceAt(now);
    this.shown = this.stateAt(now);
    this.since = since;
    this.probes = undefined;
    this.record('shutDown');
  }

  /**
   * Goes by other options in the state in which it is. The time for which it is open now stays; the next one goes by the
   * new options.
   */
  reconfigured(now: number): void {
    this.openTimes?.replan();
    this.steady = this.isSteady();
    if (this.state !== 'halfOpen') return;
    const tooMany = this.probes?.whyTooManyFailed('a probe failed', this.breaker.options);
    if (tooMany !== undefined) return this.trip(now, tooMany, 0);
    // As many probes as it takes are judged already: none would come that could close it.
    this.closeIfAllAreJudged(now);
  }

  private closeIfAllAreJudged(now: number): void {
    const result = this.probes?.result(this.breaker.options);
    if (result !== undefined) this.#close(now, result, true);
  }

  #close(now: number, reason: string, recovering: boolean): void {
    this.recovering = recovering;
    this.openingsInARow = 0;
    this.openTimes = undefined;
    if (this.own === undefined) this.enter('closed', reason, now);
    else this.own = { state: 'closed', since: now, reason };
  }

  private isSteady(): boolean {
    return this.state === 'closed' && !(this.recovering && this.breaker.options.recovery !== undefined);
  }

  private inShare(now: number): boolean {
    const { over, from } = this.breaker.options.recovery as { over: number; from: number };
    const passed = (now - this.since) / over;
    if (passed < 1) return this.breaker.environment.random() < from + (1 - from) * passed;
    this.recovering = false;
    this.steady = true;
    return true;
  }

  private enter(to: CircuitState, reason: string, at: number, since = at, told = reason): void {
    const from = this.state;
    if (from === 'shutDown') return;
    this.why = reason;
    this.since = since;
    if (to === 'open' || to === 'halfOpen') this.probes?.restart();
    else this.probes = undefined;
    this.record(to);
    if (from !== to) this.breaker.onTransition(from, to, told, at);
  }

  private record(state: RecordedState): void {
    this.state = state;
    this.steady = this.isSteady();
    this.epoch++;
  }
}
