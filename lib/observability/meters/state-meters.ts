import type { CircuitState } from '../../events/resilience-event.js';
import type { InstanceState } from '../../read-model/read-instances.js';
import type { BreakerReport } from '../../read-model/instance-report.js';
import { gauge, type Across, type Meter, type Sample } from './meter.js';
import { snakeCase } from './snake-case.js';

const STATES: readonly CircuitState[] = ['closed', 'open', 'halfOpen', 'forcedOpen', 'disabled'];

/** A series for each name that has what `pick` looks for. */
function levelOf(pick: (state: InstanceState) => number | undefined): Meter['read'] {
  return ({ states }) =>
    states.flatMap(([name, state]) => {
      const value = pick(state);
      return value === undefined ? [] : { labels: { name }, value };
    });
}

/** A series for each name and each state of a breaker. */
function perState(pick: (breaker: BreakerReport, state: CircuitState) => number | undefined): Meter['read'] {
  return ({ states }) => {
    const samples: Sample[] = [];
    for (const [name, { breaker }] of states) {
      if (breaker === undefined) continue;
      for (const state of STATES) {
        const value = pick(breaker, state);
        if (value !== undefined) samples.push({ labels: { name, state: snakeCase(state) }, value });
      }
    }
    return samples;
  };
}

const level = (
  name: string,
  unit: string,
  help: string,
  across: Across,
  pick: (of: InstanceState) => number | undefined,
) => gauge(name, unit, help, across, levelOf(pick));

/** How what keeps state is at the moment. */
export const STATE_METERS: readonly Meter[] = [
  gauge(
    'bulwark.circuit_breaker.state',
    '',
    'Whether a circuit breaker is in this state, 1 or 0.',
    'max',
    perState((breaker, state) => (breaker.state === state ? 1 : 0)),
  ),
  gauge(
    'bulwark.circuit_breaker.keys',
    '{key}',
    'How many keys of a circuit breaker with keys are in each state.',
    'sum',
    perState(({ keys }, state) => keys?.[state]),
  ),
  // Of a breaker with keys each key has its own window.
  level(
    'bulwark.circuit_breaker.failure_ratio',
    '1',
    'The share of failures in the window, 0 to 1.',
    'average',
    ({ breaker }) => (breaker?.keys === undefined ? breaker?.failureRatio : undefined),
  ),
  level(
    'bulwark.circuit_breaker.slow_call_ratio',
    '1',
    'The share of slow calls in the window, 0 to 1, of circuit breakers that look at it.',
    'average',
    ({ breaker }) => (breaker?.keys === undefined ? breaker?.slowCallRatio : undefined),
  ),
  level(
    'bulwark.circuit_breaker.threshold_ratio',
    '1',
    'From which share of failures on a circuit breaker opens, 0 to 1.',
    'max',
    ({ breaker }) => breaker?.thresholdRatio,
  ),
  level(
    'bulwark.bulkhead.active',
    '{call}',
    'Calls that run in a bulkhead.',
    'sum',
    ({ bulkhead }) => bulkhead?.active,
  ),
  level(
    'bulwark.bulkhead.waiting',
    '{call}',
    'Calls that wait for a place in a bulkhead.',
    'sum',
    ({ bulkhead }) => bulkhead?.waiting,
  ),
  level(
    'bulwark.bulkhead.limit',
    '{call}',
    'How many calls may run in a bulkhead at once; with keys, of each key.',
    'sum',
    ({ bulkhead }) => bulkhead?.limit,
  ),
  level(
    'bulwark.bulkhead.abandoned',
    '{call}',
    'Work that goes on without a place in its bulkhead, long after its caller has gone.',
    'sum',
    ({ bulkhead }) => bulkhead?.abandoned,
  ),
  level(
    'bulwark.rate_limit.available',
    '{call}',
    'How many calls a rate limit lets begin at once.',
    'sum',
    ({ rateLimit }) => rateLimit?.available,
  ),
  level(
    'bulwark.rate_limit.waiting',
    '{call}',
    'Calls that wait for their turn in a rate limit.',
    'sum',
    ({ rateLimit }) => rateLimit?.waiting,
  ),
  level(
    'bulwark.retry_budget.tokens',
    '{attempt}',
    'How many further attempts a retry budget allows at once.',
    'sum',
    ({ budget }) => budget?.tokens,
  ),
];
