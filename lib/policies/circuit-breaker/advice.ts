import type { CircuitState } from '../../events/resilience-event.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import { goesBefore, type Control } from './control.js';
import type { StateMachine } from './state/state-machine.js';
import { transitionTimerOf, type Transitional } from './state/transition-timer.js';
import type { Tally } from './tally.js';

/** Who opened a breaker: the calls under it, what other processes say of theirs, or somebody by hand. */
export type OpenedBy = 'calls' | 'advice' | 'hand';

/** Who is advised. */
export interface Advised extends Transitional {
  readonly environment: PolicyEnvironment;
  readonly machine: StateMachine;
  readonly tally: Tally;
  readonly steering: { readonly control: Control };
  readonly options: ResolvedCircuitBreaker;
  readonly watchesOnly: boolean;
  trip(now: number, reason: string, by: OpenedBy): void;
}

/** Which of those that probe a dependency a process is, and how many they are. */
export interface ProbeTurn {
  readonly index: number;
  readonly of: number;
}

/** What carries word between a breaker and those of the same name in other processes. */
export interface AdviceCarrier {
  /** The breaker has entered another state. */
  changed(): void;
  /** Whose turn it is to probe. To be asked when it opens. */
  turn(): ProbeTurn;
}

/** How far advice goes: it makes the next counted failure open the breaker, or opens it. */
export type AdviceMode = 'advise' | 'follow';

/**
 * What a breaker hears of those of the same name in other processes, and what they may hear of it. It has one only where
 * somebody carries word between them. A call meets it when it has failed, and never waits for it.
 */
export class Advice {
  #openedBy: OpenedBy | undefined = undefined;
  /** Why it should be open; undefined: not enough others say so. */
  #reason: string | undefined = undefined;
  /** Whether it is open for as long as the dependency asked for. */
  #waits = false;
  /** Whether it has not been open since enough others say so. */
  #isNews = false;

  constructor(
    private readonly breaker: Advised,
    private readonly mode: AdviceMode,
    private readonly carrier: AdviceCarrier,
  ) {}

  /** Whether its own calls have opened it, and nobody has steered it since: only then may it count for others. */
  get isOpenByCalls(): boolean {
    const { machine, watchesOnly } = this.breaker;
    const { recorded } = machine;
    return this.#openedBy === 'calls' && (recorded === 'open' || recorded === 'halfOpen') && !watchesOnly;
  }

  /** As many others have opened theirs as it takes. May be told again and again. */
  reached(reason: string): void {
    if (this.#reason === undefined) this.#isNews = true;
    this.#reason = reason;
    if (this.mode !== 'follow') return;
    const now = this.breaker.environment.clock.now();
    const why = this.whyTrip(now);
    if (why !== undefined) this.breaker.trip(now, why, 'advice');
  }

  /** Not enough others say any more that it should be open. It stays as it is. */
  lapsed(): void {
    this.#reason = undefined;
  }

  /** Why a counted failure is to open it that is not enough by itself; undefined: it is not. */
  whyTrip(now: number): string | undefined {
    if (this.#reason === undefined || !this.#mayBeOpened) return undefined;
    if (this.mode === 'advise') return this.#reason;
    // It has been open by this word already, and its probes have closed it.
    return this.#isNews && !this.#isWell(now) ? this.#reason : undefined;
  }

  /** Another process has found the dependency well: the next probe comes within `ms`. */
  probeWithin(ms: number): void {
    const { machine, environment } = this.breaker;
    if (machine.recorded !== 'open' || !this.#isOpenByItself) return;
    const now = environment.clock.now();
    if ((machine.timeToProbe(now) ?? 0) <= ms) return;
    machine.probeAt(now + ms);
    transitionTimerOf(environment).watch(this.breaker);
  }

  /**
   * It is about to open. One that opens again by its probes stays what it was: a probe is no window of calls.
   *
   * @param asked whether the dependency has said for how long.
   */
  opens(by: OpenedBy, asked: boolean): void {
    this.#waits = asked;
    if (by !== 'calls' || this.breaker.machine.recorded === 'closed') this.#openedBy = by;
  }

  /** It has entered a state, at the moment `at`. */
  entered(from: CircuitState, to: CircuitState, at: number): void {
    if (to === 'closed') this.#openedBy = undefined;
    if (to === 'open') {
      this.#isNews = false;
      const trips = from === 'closed' || from === 'halfOpen';
      if (trips && this.#isOpenByItself) this.#takeTurn(at, this.#follows && from === 'closed');
    }
    this.carrier.changed();
  }

  /**
   * Processes that open in one moment are not to probe in one. What `resetJitter` may add is parted among them by the time of
   * day, so that each has turns of its own, as far as their clocks agree. One that follows has met no failure of its own: its
   * first probe comes after a half of the reset time at least.
   */
  #takeTurn(at: number, follows: boolean): void {
    const { machine, environment, options } = this.breaker;
    const { resetTimeout } = options;
    if (this.#waits || (typeof resetTimeout !== 'number' && !follows)) return;
    const reset = typeof resetTimeout === 'number' ? resetTimeout : machine.openFor;
    const range = typeof resetTimeout === 'number' ? reset * Math.min(0.5, options.resetJitter) : 0;
    const earliest = at + (follows ? (reset - range) * (1 - environment.random() / 2) : reset);
    machine.probeAt(range === 0 ? earliest : earliest + this.#timeToTurn(earliest, range));
  }

  /** How long after `earliest` the turn of this process comes, where all of them have theirs within `range` ms. */
  #timeToTurn(earliest: number, range: number): number {
    const { clock } = this.breaker.environment;
    const { index, of } = this.carrier.turn();
    const timeOfDay = clock.wallNow() + earliest - clock.now();
    const left = (((index + 0.5) * range) / of - timeOfDay) % range;
    return left < 0 ? left + range : left;
  }

  get #follows(): boolean {
    return this.mode === 'follow' && this.#openedBy === 'advice';
  }

  /** Whether calls have opened it, here or elsewhere, and nobody by hand. */
  get #isOpenByItself(): boolean {
    return this.#openedBy === 'calls' || this.#openedBy === 'advice';
  }

  /** Whether it is closed, and nobody speaks of it who goes before advice. */
  get #mayBeOpened(): boolean {
    const { machine, steering, tally } = this.breaker;
    const source = steering.control.inForce?.source;
    return machine.recorded === 'closed' && (source === undefined || !goesBefore(source, 'advice')) && !tally.warmUp;
  }

  /** Whether its own calls, enough of them, say that all is well. */
  #isWell(now: number): boolean {
    const { tally, options } = this.breaker;
    tally.advance(now);
    return tally.calls >= options.volumeThreshold && tally.failureRate < options.errorThresholdPercentage;
  }
}
