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
  /** Whether it has not been open since enough others say so. */
  #isNews = false;

  /** @param onChange told of each change of state. */
  constructor(
    private readonly breaker: Advised,
    private readonly mode: AdviceMode,
    private readonly onChange: () => void,
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
    if (why === undefined) return;
    this.breaker.trip(now, why, 'advice');
    this.#spread(now);
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
    if (machine.recorded !== 'open' || this.#openedBy === 'hand' || this.#openedBy === undefined) return;
    this.#probeBy(environment.clock.now() + ms);
  }

  /** It is about to open. One that opens again by its probes stays what it was: a probe is no window of calls. */
  opens(by: OpenedBy): void {
    if (by !== 'calls' || this.breaker.machine.recorded === 'closed') this.#openedBy = by;
  }

  /** It has entered a state. */
  entered(state: CircuitState): void {
    if (state === 'closed') this.#openedBy = undefined;
    if (state === 'open') this.#isNews = false;
    this.onChange();
  }

  /** Many processes hear of it in one moment: they are not to probe in one. */
  #spread(now: number): void {
    const { machine, environment } = this.breaker;
    this.#probeBy(now + machine.openFor * (1 - environment.random() / 2));
  }

  #probeBy(at: number): void {
    this.breaker.machine.probeBy(at);
    transitionTimerOf(this.breaker.environment).watch(this.breaker);
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
