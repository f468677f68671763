import { CircuitOpenException } from '../../errors/circuit-open.exception.js';
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
  return { reason, failures, calls, lastError: error === undefined ? undefined : describe(error) };
}

/** The error for a call that an open or probing breaker turns away. */
export function refusalOf(
  name: string,
  machine: StateMachine,
  summary: OpenSummary | undefined,
  now: number,
  wallNow: number,
): CircuitOpenException {
  const state = machine.recorded;
  const retryAfterMs = machine.timeToProbe(now);
  const since = new Date(wallNow - (now - machine.sinceAt(now)));
  const parts = [
    `circuit breaker ${name} is ${STATES[state]} since ${since.toISOString().slice(11, 19)} UTC: ${machine.reason}`,
    ...(retryAfterMs === undefined ? [] : [`next probe in ${seconds(retryAfterMs)}`]),
    ...(summary?.lastError === undefined ? [] : [`last error: ${summary.lastError}`]),
  ];
  return withoutStack(
    () =>
      new CircuitOpenException({
        policy: 'circuitBreaker',
        instanceName: name,
        message: parts.join('; '),
        retryAfterMs,
        details: { state, since: since.getTime(), reason: machine.reason, ...counts(summary), probes: machine.probes },
      }),
  );
}

const STATES = {
  closed: 'recovering',
  open: 'open',
  halfOpen: 'half-open',
  forcedOpen: 'forced open',
  disabled: 'disabled',
} as const;

function counts(summary: OpenSummary | undefined): Partial<OpenSummary> {
  if (summary === undefined) return {};
  const { failures, calls, lastError } = summary;
  return { failures, calls, ...(lastError === undefined ? {} : { lastError }) };
}

function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}

/** A refusal happens at a known place for a known reason, and many come at once: its stack would be most of its cost. */
function withoutStack<T>(create: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return create();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
