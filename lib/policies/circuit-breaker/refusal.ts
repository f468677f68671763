import { CircuitOpenException } from '../../errors/circuit-open.exception.js';
import { describeError } from '../../kernel/error-text.js';
import type { StateMachine } from './state-machine.js';
import { seconds, type TripWindow } from './trip/trip-strategy.js';

/** What a breaker remembers of its last opening. */
export interface OpenSummary {
  readonly reason: string;
  readonly failures: number;
  readonly calls: number;
  /** The text of the error that opened it; the error itself would keep the request alive that it came from. */
  readonly lastError: string | undefined;
}

export function summaryOf(window: TripWindow, reason: string, error: unknown): OpenSummary {
  const { failures, calls } = window;
  return { reason, failures, calls, lastError: error === undefined ? undefined : describeError(error) };
}

/** What all refusals of one state of a breaker have in common: they come in great numbers. */
export interface RefusalDescription {
  readonly epoch: number;
  readonly beginning: string;
  readonly end: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export function describeRefusal(
  name: string,
  machine: StateMachine,
  summary: OpenSummary | undefined,
  now: number,
  wallNow: number,
): RefusalDescription {
  const { recorded: state, reason, epoch } = machine;
  const since = Math.round(wallNow - (now - machine.sinceAt(now)));
  const time = new Date(since).toISOString().slice(11, 19);
  return {
    epoch,
    beginning: `circuit breaker ${name} is ${STATES[state]} since ${time} UTC: ${reason}`,
    end: summary?.lastError === undefined ? '' : `; last error: ${summary.lastError}`,
    details: Object.freeze({ state, since, reason, ...counts(summary) }),
  };
}

/** The error for a call that an open or probing breaker turns away. */
export function refusalOf(
  name: string,
  { beginning, end, details }: RefusalDescription,
  retryAfterMs: number | undefined,
): CircuitOpenException {
  const next = retryAfterMs === undefined ? '' : `; next probe in ${seconds(retryAfterMs)}`;
  const message = `${beginning}${next}${end}`;
  return new CircuitOpenException({ policy: 'circuitBreaker', instanceName: name, message, retryAfterMs, details });
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
