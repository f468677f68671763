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

/** What is ordered by rules and the like belongs to where it was ordered: only what was done by hand goes along. */
export function takeSnapshot(core: BreakerCore): BreakerSnapshot {
  const { name, machine, environment } = core;
  const { clock } = environment;
  const { openings } = machine;
  const byHand = core.wordOf('operator');
  if (byHand !== undefined && byHand.state !== 'normal') return { name, ...byHand, state: byHand.state, openings };
  const { state, reason, timeToProbe } = machine.ownAt(clock.now());
  const probeAt = state === 'open' && timeToProbe !== undefined ? clock.wallNow() + timeToProbe : undefined;
  return { name, state, reason, probeAt, openings };
}

/** @throws ResilienceConfigurationError */
export function restoreBreaker(core: BreakerCore, snapshot: BreakerSnapshot): void {
  const { name, machine, environment } = core;
  const place = `circuit breaker ${name}, restore`;
  if (!isPlainObject(snapshot) || !STATES.includes(snapshot.state) || !Number.isSafeInteger(snapshot.openings)) {
    throw new ResilienceConfigurationError(place, `expected what snapshot() gave, got ${show(snapshot)}`);
  }
  const { clock } = environment;
  const { state, reason, probeAt, openings } = snapshot;
  const left = typeof probeAt === 'number' ? Math.max(0, probeAt - clock.wallNow()) : 0;
  if (state === 'forcedOpen' || state === 'disabled') return core.say('operator', { state, reason: String(reason) });
  if (state === 'closed') core.clear();
  core.say('operator', undefined);
  machine.restore(state, String(reason), left, openings, clock.now());
}
