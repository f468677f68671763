import type { EventEmitter } from 'node:events';
import type { ResilienceException } from '../../errors/resilience.exception.js';
import type { CircuitState } from '../../events/resilience-event.js';
import { notify } from '../../kernel/ask.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { ResolvedCircuitBreaker } from './circuit-breaker.options.js';
import { transitionTimerOf, type Transitional } from './state/transition-timer.js';

/** The opossum breaker that people see of one of ours. It is made when somebody first asks for it. */
export interface BreakerFace extends EventEmitter {
  /** The options have changed. */
  reconfigured(options: ResolvedCircuitBreaker): void;
}

/** Of whom it is told. */
export interface Told extends Transitional {
  readonly name: string;
  readonly place: string;
  readonly environment: PolicyEnvironment;
}

/** opossum's events of the states. */
const OF_STATES: Partial<Record<CircuitState, string>> = {
  open: 'open',
  forcedOpen: 'open',
  halfOpen: 'halfOpen',
  closed: 'close',
};

/** Tells what happens to a breaker: opossum's events to whoever listens to its face, and the app's events. */
export class BreakerEvents {
  face: BreakerFace | undefined = undefined;
  /** Whether anybody listens to the face. Nobody ever does to most, and an emitter takes its time to say so. */
  listenedTo = false;
  /** Whether what happens to it now is ordered by somebody. */
  #ordered = false;

  constructor(private readonly breaker: Told) {}

  /** Somebody has begun to listen to the face, or ceased to: who listens is told of the next transition in time. */
  onListeners(listened: boolean): void {
    this.listenedTo = listened;
    if (this.breaker.nextTransitionAt === undefined) return;
    const timer = transitionTimerOf(this.breaker.environment);
    if (listened) timer.watch(this.breaker);
    timer.refresh();
  }

  /** Does what somebody orders, so that a change of its state is told as theirs. */
  byHand(order: () => void): void {
    this.#ordered = true;
    try {
      order();
    } finally {
      this.#ordered = false;
    }
  }

  /** Whether anybody listens to one of opossum's events. */
  hears(event: string): boolean {
    return this.listenedTo && (this.face?.listenerCount(event) ?? 0) > 0;
  }

  /** Whether anybody wants to know in time what the clock does to the state. */
  get hearsTransitions(): boolean {
    return this.breaker.environment.events.hasListeners || this.hears('halfOpen') || this.hears('open');
  }

  /** Emits one of opossum's events to whoever listens. An emitter of its own would end with the first that throws. */
  tell(event: string, ...args: unknown[]): void {
    const { face } = this;
    if (face === undefined || !this.listenedTo) return;
    const { environment, place } = this.breaker;
    for (const listener of face.rawListeners(event))
      notify(environment, `${place}, a listener of '${event}'`, () => Reflect.apply(listener, face, args));
  }

  /** A state was entered, at the moment `at`. */
  tellTransition(
    from: CircuitState,
    to: CircuitState,
    { reason, at, metricsOnly, openFor }: { reason: string; at: number; metricsOnly: boolean; openFor: number },
  ): void {
    const { events, clock } = this.breaker.environment;
    if (events.hearsChanges) {
      const { name } = this.breaker;
      const body = { type: 'stateChange', name, policy: 'circuitBreaker', from, to, reason } as const;
      const marks = { ...(metricsOnly && { metricsOnly }), ...(this.#ordered && { byHand: true }) };
      events.emitChange({ ...body, ...marks, at: clock.wallNow() - (clock.now() - at) });
    }
    const event = OF_STATES[to];
    if (event === 'halfOpen') this.tell(event, openFor);
    else if (event !== undefined) this.tell(event);
  }

  /** A call was refused, or would have been. */
  tellRefused({ code, retryAfterMs, details }: ResilienceException, metricsOnly: boolean): void {
    const { events } = this.breaker.environment;
    if (!events.active) return;
    const { name } = this.breaker;
    const body = { type: 'refused', name, policy: 'circuitBreaker', code, retryAfterMs, details } as const;
    events.emit(metricsOnly ? { ...body, metricsOnly } : body);
  }
}
