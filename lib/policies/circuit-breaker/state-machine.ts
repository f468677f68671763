import type { CircuitState } from '../../events/resilience-event.js';
import type { OpenTimeSeries, ResolvedCircuitBreaker } from './circuit-breaker.options.js';

type OpenTimes = ReturnType<OpenTimeSeries['series']>;

/** Told when a state is entered, with the moment at which it came about. */
export interface TransitionListener {
  /** Asks a backoff, which may be a user's, for its series. */
  openTimes(start: () => unknown): OpenTimes;
  /** Asks a series for an open time in ms. */
  openTime(ask: () => unknown): number;
  onTransition(from: CircuitState, to: CircuitState, reason: string, at: number): void;
}

/** What a breaker is by itself while its state is ordered. */
interface OwnState {
  readonly state: 'closed' | 'open';
  readonly since: number;
  readonly reason: string;
}

/** A state as it is recorded; one that was shut down shows the state that it had. */
export type RecordedState = CircuitState | 'shutDown';

/** A call that lies in itself deeper than this is a loop. */
const MAX_NESTED = 100;

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
 * The states are computed from the clock: half-open begins when the reset time is over, and a hung probe has reopened
 * at its deadline, whether or not anybody calls. Reading changes nothing; a transition is recorded at the next
 * admission, with the moment at which it came about.
 */
export class StateMachine {
  #state: RecordedState = 'closed';
  /** What it shows since it was shut down. */
  #shown: CircuitState = 'closed';
  #epoch = 0;
  #since: number;
  #openFor = 0;
  #openings = 0;
  #reason = '';
  /** Outcomes of the probes so far. */
  #succeeded = 0;
  #failed = 0;
  /** How deep calls of this breaker were found to lie in one another. */
  #nested = 0;
  /** When each running probe began; at most `halfOpenCalls`. */
  #probes: number[] = [];
  /** Whether its probes have closed it, so that the share of admitted calls grows. */
  #recovering = false;
  #plannedOpenTime: { opening: number; ms: number } | undefined;
  #series: OpenTimes | undefined;
  /** What is there again when the order is over; undefined where none is. */
  #own: OwnState | undefined;

  constructor(
    private options: ResolvedCircuitBreaker,
    private readonly random: () => number,
    private readonly listener: TransitionListener,
    now: number,
    ordered?: { readonly state: 'forcedOpen' | 'disabled'; readonly reason: string },
  ) {
    this.#since = now;
    if (ordered === undefined) return;
    this.#own = { state: 'closed', since: now, reason: '' };
    this.#state = ordered.state;
    this.#reason = ordered.reason;
  }

  /** Changes with each transition: an outcome counts only in the epoch in which its call began. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Why it is in its state. */
  get reason(): string {
    return this.#reason;
  }

  /** How long it stays or stayed open, ms. */
  get openFor(): number {
    return this.#openFor;
  }

  /** How many times in a row it opened. */
  get openings(): number {
    return this.#openings;
  }

  /** How many probes run. */
  get probes(): number {
    return this.#probes.length;
  }

  /** The state at `now`. */
  stateAt(now: number): CircuitState {
    if (this.#state === 'open') return now >= this.#since + this.#openFor ? 'halfOpen' : 'open';
    if (this.#state !== 'halfOpen') return this.#state === 'shutDown' ? this.#shown : this.#state;
    const hung = this.#hungAt();
    if (now < hung) return 'halfOpen';
    return now >= hung + this.#nextOpenTime(this.#openings + 1, 0) ? 'halfOpen' : 'open';
  }

  /** When the state at `now` began, on the monotonic clock. */
  sinceAt(now: number): number {
    if (this.#state === 'open') return now >= this.#since + this.#openFor ? this.#since + this.#openFor : this.#since;
    if (this.#state !== 'halfOpen' || now < this.#hungAt()) return this.#since;
    const hung = this.#hungAt();
    return this.stateAt(now) === 'open' ? hung : hung + this.#nextOpenTime(this.#openings + 1, 0);
  }

  /** Time to the next probe, ms; undefined where time alone does not bring one. */
  timeToProbe(now: number): number | undefined {
    if (this.#state === 'open') return Math.max(0, this.#since + this.#openFor - now);
    const hung = this.#state === 'halfOpen' ? this.#hungAt() : Infinity;
    return now < hung ? undefined : Math.max(0, hung + this.#nextOpenTime(this.#openings + 1, 0) - now);
  }

  /** When the clock alone changes the state next; undefined where it does not. */
  get nextTransitionAt(): number | undefined {
    if (this.#state === 'open') return this.#since + this.#openFor;
    return this.#state === 'halfOpen' && this.#probes.length > 0 ? this.#hungAt() : undefined;
  }

  /** Records what the clock has brought about. */
  settle(now: number): void {
    if (this.#state === 'halfOpen') {
      const hung = this.#hungAt();
      if (now >= hung) this.#open(hung, `a probe gave no answer within ${this.options.halfOpenMaxWait} ms`, 0);
    }
    if (this.#state === 'open') {
      const over = this.#since + this.#openFor;
      if (now >= over) this.#enter('halfOpen', 'the reset time is over', over);
    }
  }

  /** Whether a call may begin; a probe takes a permit with it. To be asked after {@link settle}. */
  admit(now: number): boolean {
    switch (this.#state) {
      case 'closed':
        return this.options.recovery === undefined || !this.#recovering || this.#inShare(now, this.options.recovery);
      case 'halfOpen':
        if (this.#probes.length + this.#judged >= this.options.halfOpenCalls + this.#nested) return false;
        this.#probes.push(now);
        return true;
      case 'disabled':
        return true;
      default:
        return false;
    }
  }

  /** The state as it was last recorded. */
  get recorded(): RecordedState {
    return this.#state;
  }

  /**
   * A probe was refused by its own breaker: what it calls meets this breaker again. Without room for the inner call no
   * probe could ever succeed.
   */
  allowNested(): void {
    if (this.#state === 'halfOpen' && this.#nested < MAX_NESTED) this.#nested++;
  }

  /** Hands back the permit that a probe took at `since`. */
  handBack(since: number): void {
    const index = this.#probes.indexOf(since);
    if (index >= 0) this.#probes.splice(index, 1);
  }

  /** A probe that began at `since` succeeded. */
  probeSucceeded(since: number, now: number): void {
    this.handBack(since);
    this.#succeeded++;
    this.#closeIfAllAreJudged(now);
  }

  /**
   * A probe that began at `since` failed, for `reason`.
   *
   * @returns why it is to open again; undefined: as many may fail.
   */
  probeFailed(since: number, now: number, reason: string): string | undefined {
    this.handBack(since);
    this.#failed++;
    if (this.#tooManyFailed) return this.#whyTooMany(reason);
    this.#closeIfAllAreJudged(now);
    return undefined;
  }

  /** Opens until the reset time is over, or as long as the dependency asked for. */
  trip(now: number, reason: string, askedForMs: number): void {
    this.#open(now, reason, askedForMs);
  }

  /** Closes it wholly; under an order it is closed once the order is over. */
  close(now: number, reason: string): void {
    this.#close(now, reason, false);
  }

  #close(now: number, reason: string, recovering: boolean): void {
    this.#recovering = recovering;
    this.#openings = 0;
    this.#plannedOpenTime = this.#series = undefined;
    if (this.#own === undefined) this.#enter('closed', reason, now);
    else this.#own = { state: 'closed', since: now, reason };
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
    this.#recovering = false;
    this.#openings = openings;
    // A half-open breaker has no probes of its own yet: it is open with no time left.
    const own = state === 'closed' ? 'closed' : 'open';
    const since = state === 'open' ? openSince : now;
    this.#openFor = state === 'open' ? now - since + Math.min(left, this.#baseOpenTime(Math.max(1, openings))) : 0;
    if (this.#own === undefined) this.#enter(own, reason, now, since);
    else this.#own = { state: own, since, reason };
  }

  /** Says since when it is forced open, where that began elsewhere. */
  backdate(since: number): void {
    if (this.#state === 'forcedOpen') this.#since = since;
  }

  /** Puts an ordered state over its own. */
  order(state: 'forcedOpen' | 'disabled', now: number, reason: string): void {
    if (this.#own === undefined) {
      this.settle(now);
      // The probes of a half-open breaker are not judged any more: it waits for others, and for nothing else.
      if (this.#state === 'halfOpen') this.#openFor = 0;
      this.#own = { state: this.#state === 'closed' ? 'closed' : 'open', since: this.#since, reason: this.#reason };
    }
    this.#enter(state, reason, now);
  }

  /** Takes the order away: it is what it would be without, its time having run on. */
  release(now: number, told?: string): void {
    if (this.#own === undefined) return;
    const { state, since, reason } = this.#own;
    this.#own = undefined;
    if (state === 'closed') return this.#enter('closed', reason, now, since, told ?? reason);
    const over = now >= since + this.#openFor;
    this.#enter(over ? 'halfOpen' : 'open', reason, now, over ? now : since, told ?? reason);
  }

  /** Its own state at `now`, whatever is ordered. */
  ownAt(now: number): {
    readonly state: CircuitState;
    readonly reason: string;
    readonly since: number;
    readonly timeToProbe: number | undefined;
  } {
    if (this.#own === undefined) {
      const { reason } = this;
      return { state: this.stateAt(now), reason, since: this.sinceAt(now), timeToProbe: this.timeToProbe(now) };
    }
    const { state, since, reason } = this.#own;
    if (state === 'closed') return { state, reason, since, timeToProbe: undefined };
    const left = Math.max(0, since + this.#openFor - now);
    return { state: left > 0 ? 'open' : 'halfOpen', reason, since, timeToProbe: left };
  }

  /** Lets no call begin any more, whatever comes: it shows the state that it has now, and enters no other. */
  shutDown(now: number): void {
    const since = this.sinceAt(now);
    this.#shown = this.stateAt(now);
    this.#since = since;
    this.#state = 'shutDown';
    this.#probes = [];
    this.#epoch++;
  }

  /**
   * Takes on other options in the state in which it is. The time for which it is open now stays; the next one goes by
   * the new options.
   */
  reconfigure(options: ResolvedCircuitBreaker, now: number): void {
    if (options.resetTimeout !== this.options.resetTimeout) this.#series = undefined;
    this.#plannedOpenTime = undefined;
    this.options = options;
    if (this.#state !== 'halfOpen') return;
    if (this.#tooManyFailed) return this.#open(now, this.#whyTooMany('a probe failed'), 0);
    // As many probes as it takes are judged already: none would come that could close it.
    this.#closeIfAllAreJudged(now);
  }

  get #judged(): number {
    return this.#succeeded + this.#failed;
  }

  get #tooManyFailed(): boolean {
    const { halfOpenCalls, halfOpenErrorThresholdPercentage } = this.options;
    return this.#failed * 100 > halfOpenErrorThresholdPercentage * halfOpenCalls;
  }

  #whyTooMany(reason: string): string {
    const { halfOpenCalls, halfOpenErrorThresholdPercentage: limit } = this.options;
    return limit === 0 ? reason : `${this.#failed} of ${halfOpenCalls} probes failed, limit ${limit} %: ${reason}`;
  }

  #closeIfAllAreJudged(now: number): void {
    if (this.#judged >= this.options.halfOpenCalls)
      this.#close(now, `${this.#succeeded} of ${this.#judged} probes succeeded`, true);
  }

  #open(at: number, reason: string, askedForMs: number): void {
    this.#openings++;
    this.#openFor = this.#nextOpenTime(this.#openings, askedForMs);
    this.#plannedOpenTime = undefined;
    this.#enter('open', reason, at);
  }

  /** Chance enters once for each opening, so that reading the state ahead of its record gives the same answer. */
  #nextOpenTime(opening: number, askedForMs: number): number {
    if (this.#plannedOpenTime?.opening !== opening) {
      const base = this.#baseOpenTime(opening);
      this.#plannedOpenTime = { opening, ms: base * (1 + this.options.resetJitter * this.random()) };
    }
    return Math.max(this.#plannedOpenTime.ms, askedForMs);
  }

  #baseOpenTime(opening: number): number {
    const { resetTimeout } = this.options;
    if (typeof resetTimeout === 'number') return resetTimeout;
    const series = (this.#series ??= this.listener.openTimes(() =>
      typeof resetTimeout === 'function' ? resetTimeout : resetTimeout.series(this.random),
    ));
    return this.listener.openTime(() => series(opening, undefined, undefined as never));
  }

  #hungAt(): number {
    return this.#probes.length === 0 ? Infinity : Math.min(...this.#probes) + this.options.halfOpenMaxWait;
  }

  #inShare(now: number, { over, from }: { over: number; from: number }): boolean {
    const passed = (now - this.#since) / over;
    if (passed < 1) return this.random() < from + (1 - from) * passed;
    this.#recovering = false;
    return true;
  }

  #enter(to: CircuitState, reason: string, at: number, since = at, told = reason): void {
    const from = this.#state;
    if (from === 'shutDown') return;
    this.#state = to;
    this.#reason = reason;
    this.#since = since;
    this.#succeeded = this.#failed = 0;
    if (to !== 'open' && to !== 'halfOpen') this.#nested = 0;
    if (this.#probes.length > 0) this.#probes = [];
    this.#epoch++;
    if (from !== to) this.listener.onTransition(from, to, told, at);
  }
}
