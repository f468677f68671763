import { CircuitOpenException } from '../../errors/circuit-open.exception.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import { describeError } from '../../kernel/error-text.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import type { RecordedState } from './state/clocked-state.js';
import type { StateMachine } from './state/state-machine.js';
import type { TripWindow } from './trip/trip-strategy.js';

/** What a breaker remembers of its last opening. */
export interface OpenSummary {
  readonly failures: number;
  readonly calls: number;
  /** The text of the error that opened it; the error itself would keep the request alive that it came from. */
  readonly lastError: string | undefined;
}

/** What all refusals of one state of a breaker have in common: they come in great numbers. */
interface Description {
  readonly epoch: number;
  readonly beginning: string;
  readonly end: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Who refuses. */
export interface Refusing {
  readonly name: string;
  readonly environment: PolicyEnvironment;
  readonly machine: StateMachine;
  readonly tally: TripWindow;
  /** Why it is in its state. */
  readonly reason: string;
}

/** The errors for calls that an open or probing breaker turns away, and what it remembers for them of its openings. */
export class Refusals {
  #opening: OpenSummary | undefined = undefined;
  #openingByOrder: OpenSummary | undefined = undefined;
  #description: Description | undefined = undefined;

  constructor(private readonly breaker: Refusing) {}

  /** It opens, by this error. */
  opened(error: unknown): void {
    const { failures, calls } = this.breaker.tally;
    this.#opening = { failures, calls, lastError: error === undefined ? undefined : describeError(error) };
  }

  /** It is forced open. */
  forcedOpen(): void {
    const { failures, calls } = this.breaker.tally;
    this.#openingByOrder = { failures, calls, lastError: undefined };
  }

  /** Takes on what was remembered elsewhere of an opening; `state` says of which. */
  remember(state: RecordedState, summary: OpenSummary | undefined): void {
    if (state === 'forcedOpen') this.#openingByOrder = summary;
    else this.#opening = summary;
    this.forgetTexts();
  }

  /** What it remembers of its last opening, or of that by order. */
  summaryOf(state: RecordedState): OpenSummary | undefined {
    return state === 'forcedOpen' ? this.#openingByOrder : this.#opening;
  }

  /** What is told of a state may have changed without the state. */
  forgetTexts(): void {
    this.#description = undefined;
  }

  /** The error for a call that comes at `now`. */
  errorAt(now: number): CircuitOpenException {
    const { name: instanceName, machine } = this.breaker;
    const { beginning, end, details } = this.#describe(now);
    const retryAfterMs = machine.timeToProbe(now);
    const next = retryAfterMs === undefined ? '' : `; next probe in ${timeLeft(retryAfterMs)}`;
    const message = `${beginning}${next}${end}`;
    return new CircuitOpenException({ policy: 'circuitBreaker', instanceName, message, retryAfterMs, details });
  }

  #describe(now: number): Description {
    const { name, machine, environment } = this.breaker;
    const { recorded: state, epoch } = machine;
    if (this.#description?.epoch === epoch) return this.#description;
    const { reason } = this.breaker;
    const summary = this.summaryOf(state);
    const since = Math.round(environment.clock.wallNow() - (now - machine.sinceAt(now)));
    const time = new Date(since).toISOString().slice(11, 19);
    return (this.#description = {
      epoch,
      beginning: `circuit breaker ${name} is ${STATES[state]} since ${time} UTC: ${reason}`,
      end: summary?.lastError === undefined ? '' : `; last error: ${summary.lastError}`,
      details: Object.freeze({ state, since, reason, ...counts(summary) }),
    });
  }
}

/** The error for a call that comes after a shutdown. */
export function refusalAfterShutdown(instanceName: string): ShutdownException {
  const message = `circuit breaker ${instanceName} was shut down`;
  return new ShutdownException({ policy: 'circuitBreaker', instanceName, message });
}

const STATES = {
  closed: 'recovering',
  open: 'open',
  halfOpen: 'half-open',
  forcedOpen: 'forced open',
  disabled: 'disabled',
  shutDown: 'shut down',
} as const;

function counts(summary: OpenSummary | undefined): Partial<OpenSummary> {
  if (summary === undefined) return {};
  const { failures, calls, lastError } = summary;
  return { failures, calls, ...(lastError === undefined ? {} : { lastError }) };
}

/** Rounded up: a probe that is due in a moment is not due yet. */
function timeLeft(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 100)) / 10} s`;
}
