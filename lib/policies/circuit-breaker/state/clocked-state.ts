import type { CircuitState } from '../../../events/resilience-event.js';
import { OpenTimes, type Opening } from './open-times.js';
import type { Probes } from './probes.js';

/** A state as it is recorded; one that was shut down shows the state that it had. */
export type RecordedState = CircuitState | 'shutDown';

/** What a breaker is by itself while its state is ordered. */
interface OwnState {
  readonly state: 'closed' | 'open';
  readonly since: number;
  readonly reason: string;
}

/**
 * A state as it was recorded, and what the clock has made of it since: half-open begins when the reset time is over, and
 * a hung probe has reopened at its deadline, whether or not anybody calls. Reading changes nothing.
 */
export class ClockedState<B extends Opening> {
  protected state: RecordedState = 'closed';
  protected since: number;
  protected why = '';
  protected openMs = 0;
  protected openingsInARow = 0;
  /** From its first opening to its closing. */
  protected openTimes: OpenTimes | undefined = undefined;
  /** From its first probe to its closing. */
  protected probes: Probes | undefined = undefined;
  /** What is there again when an order is over; undefined where none is. */
  protected own: OwnState | undefined = undefined;
  /** What it shows since it was shut down. */
  protected shown: CircuitState = 'closed';

  constructor(
    protected readonly breaker: B,
    now: number,
  ) {
    this.since = now;
  }

  /** The state as it was last recorded. */
  get recorded(): RecordedState {
    return this.state;
  }

  /** Why it is in its state; of one that is ordered, whoever has ordered it knows. */
  get reason(): string {
    return this.why;
  }

  /** How long it stays or stayed open, ms. */
  get openFor(): number {
    return this.openMs;
  }

  /** How many times in a row it opened. */
  get openings(): number {
    return this.openingsInARow;
  }

  /** The state at `now`. */
  stateAt(now: number): CircuitState {
    if (this.state === 'open') return now >= this.since + this.openMs ? 'halfOpen' : 'open';
    if (this.state !== 'halfOpen') return this.state === 'shutDown' ? this.shown : this.state;
    const hung = this.hungAt();
    if (now < hung) return 'halfOpen';
    return now >= hung + this.nextOpenTime() ? 'halfOpen' : 'open';
  }

  /** When the state at `now` began, on the monotonic clock. */
  sinceAt(now: number): number {
    const over = this.since + this.openMs;
    if (this.state === 'open') return now >= over ? over : this.since;
    if (this.state !== 'halfOpen' || now < this.hungAt()) return this.since;
    const hung = this.hungAt();
    return this.stateAt(now) === 'open' ? hung : hung + this.nextOpenTime();
  }

  /** Time to the next probe, ms; undefined where time alone does not bring one. */
  timeToProbe(now: number): number | undefined {
    if (this.state === 'open') return Math.max(0, this.since + this.openMs - now);
    const hung = this.state === 'halfOpen' ? this.hungAt() : Infinity;
    return now < hung ? undefined : Math.max(0, hung + this.nextOpenTime() - now);
  }

  /** When the clock alone changes the state next; undefined where it does not. */
  get nextTransitionAt(): number | undefined {
    if (this.state === 'open') return this.since + this.openMs;
    const hung = this.state === 'halfOpen' ? this.hungAt() : Infinity;
    return hung === Infinity ? undefined : hung;
  }

  /** Its own state at `now`, whatever is ordered. */
  ownAt(now: number): {
    readonly state: CircuitState;
    readonly reason: string;
    readonly since: number;
    readonly timeToProbe: number | undefined;
  } {
    if (this.own === undefined) {
      const { reason } = this;
      return { state: this.stateAt(now), reason, since: this.sinceAt(now), timeToProbe: this.timeToProbe(now) };
    }
    const { state, since, reason } = this.own;
    if (state === 'closed') return { state, reason, since, timeToProbe: undefined };
    const left = Math.max(0, since + this.openMs - now);
    return { state: left > 0 ? 'open' : 'halfOpen', reason, since, timeToProbe: left };
  }

  protected times(): OpenTimes {
    return (this.openTimes ??= new OpenTimes(this.breaker));
  }

  protected nextOpenTime(): number {
    return this.times().of(this.openingsInARow + 1);
  }

  protected hungAt(): number {
    return this.probes?.hungAt(this.breaker.options) ?? Infinity;
  }
}
