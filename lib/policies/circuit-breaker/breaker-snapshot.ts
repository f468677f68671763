import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import type { CircuitState } from '../../events/resilience-event.js';
import { isPlainObject, show } from '../options/check.js';
import type { BreakerCore } from './breaker-core.js';

/**
 * A breaker's state as plain data.
 *
 * @publicApi
 */
export interface BreakerSnapshot {
  readonly name: string;
  readonly state: CircuitState;
  readonly reason: string;
  /** When the next probe may run, epoch ms; undefined unless open. */
  readonly probeAt?: number | undefined;
  /** How many times in a row it has opened. */
  readonly openings: number;
}

const STATES: readonly CircuitState[] = ['closed', 'open', 'halfOpen', 'forcedOpen', 'disabled'];

export function takeSnapshot({ name, machine, environment }: BreakerCore): BreakerSnapshot {
  const { clock } = environment;
  const now = clock.now();
  const timeToProbe = machine.timeToProbe(now);
  const state = machine.stateAt(now);
  const probeAt = state === 'open' && timeToProbe !== undefined ? clock.wallNow() + timeToProbe : undefined;
  return { name, state, reason: machine.reason, probeAt, openings: machine.openings };
}

/** @throws ResilienceConfigurationError */
export function restoreBreaker({ name, machine, environment }: BreakerCore, snapshot: BreakerSnapshot): void {
  const place = `circuit breaker ${name}, restore`;
  if (!isPlainObject(snapshot) || !STATES.includes(snapshot.state) || !Number.isSafeInteger(snapshot.openings)) {
    throw new ResilienceConfigurationError(place, `expected what snapshot() gave, got ${show(snapshot)}`);
  }
  const { clock } = environment;
  const { state, reason, probeAt, openings } = snapshot;
  const left = typeof probeAt === 'number' ? Math.max(0, probeAt - clock.wallNow()) : 0;
  machine.restore(state, String(reason), left, openings, clock.now());
}
