import type { PolicyEnvironment } from '../../kernel/policy.js';
import { goesBefore, type Control, type ControlSource, type ControlWord } from './control.js';
import type { Refusals } from './refusals.js';
import type { OrderedState, StateMachine } from './state/state-machine.js';

/** Who is steered. */
export interface Steered {
  readonly environment: PolicyEnvironment;
  readonly machine: StateMachine;
  readonly refusals: Refusals;
  /** Ends the waits of calls that it would now refuse. */
  endWaits(now: number): void;
}

/** Puts into effect what is said of a breaker. */
export class Steering {
  /** Whether somebody before the rules has forced it open: then no mode lets calls past it. */
  forced = false;

  /** @param onSaid told when somebody has said something of it. */
  constructor(
    private readonly breaker: Steered,
    readonly control: Control,
    private readonly onSaid: (() => void) | undefined,
  ) {}

  /** Lets a source say its word, or take it back; the first in the order that speaks wins. */
  say(source: ControlSource, word: ControlWord | undefined): void {
    if (word === undefined && this.control.wordOf(source) === undefined) return;
    this.control.say(source, word);
    this.obey(word === undefined ? `the ${source} takes back its word` : undefined);
    this.onSaid?.();
  }

  /** Takes back what is said by hand, where its state is wholly its own again. */
  takeBack(): void {
    this.control.say('operator', undefined);
    this.obey();
    this.onSaid?.();
  }

  /** Takes on the state that the words ask for. A word of the same state as before is only worded otherwise. */
  obey(told?: string): void {
    const { machine, environment } = this.breaker;
    const now = environment.clock.now();
    const state = this.order();
    if (state === undefined) return machine.release(now, told);
    if (machine.recorded !== state) this.#enter(state, now);
    else if (state === 'forcedOpen') this.breaker.refusals.forgetTexts();
    if (state === 'forcedOpen') this.breaker.endWaits(now);
  }

  /** The state that the words ask for; undefined where the breaker is to go by itself. */
  order(): OrderedState | undefined {
    const decision = this.control.inForce;
    const state = decision?.word.state;
    this.forced = decision !== undefined && state === 'forcedOpen' && goesBefore(decision.source, 'rule');
    return state === 'normal' ? undefined : state;
  }

  /** Why it is in the state that the words ask for. */
  get reason(): string {
    return this.control.inForce?.word.reason ?? '';
  }

  #enter(state: OrderedState, now: number): void {
    if (state === 'forcedOpen') this.breaker.refusals.forcedOpen();
    this.breaker.machine.order(state, now, this.reason);
  }
}
