import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import type { CircuitState } from '../../events/resilience-event.js';
import { isPlainObject, show } from '../../kernel/options/check.js';
import type { BreakerCore } from './breaker-core.js';
import type { OpenSummary } from './refusals.js';

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
  /** Since when it is in its state, epoch ms. @default the moment of `restore()` */
  readonly since?: number | undefined;
  /** What the breaker had counted when it opened. @default not told */
  readonly failures?: number | undefined;
  readonly calls?: number | undefined;
  /** The text of the error that opened it. */
  readonly lastError?: string | undefined;
}

const STATES: readonly CircuitState[] = ['closed', 'open', 'halfOpen', 'forcedOpen', 'disabled'];

/** What is ordered by rules and the like belongs to where it was ordered: only what was done by hand goes along. */
export function takeSnapshot(core: BreakerCore): BreakerSnapshot {
  const { name, machine, environment } = core;
  const { clock } = environment;
  const { openings } = machine;
  const byHand = core.wordOf('operator');
  const now = clock.now();
  const wallAt = (moment: number): number => Math.round(clock.wallNow() - (now - moment));
  if (byHand !== undefined && byHand.state !== 'normal') {
    const { state, reason } = byHand;
    return { name, state, reason, openings, since: wallAt(machine.sinceAt(now)), ...countsOf(core, state) };
  }
  const { state, reason, since, timeToProbe } = machine.ownAt(now);
  const probeAt = state === 'open' && timeToProbe !== undefined ? clock.wallNow() + timeToProbe : undefined;
  return { name, state, reason, probeAt, openings, since: wallAt(since), ...countsOf(core, state) };
}

/** What refusals tell of the opening; a breaker that refuses nothing has nothing to tell. */
function countsOf(core: BreakerCore, state: CircuitState): Pick<BreakerSnapshot, 'failures' | 'calls' | 'lastError'> {
  const summary = state === 'closed' || state === 'disabled' ? undefined : core.refusals.summaryOf(state);
  if (summary === undefined) return {};
  const { failures, calls, lastError } = summary;
  return { failures, calls, ...(lastError === undefined ? {} : { lastError }) };
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
  const now = clock.now();
  const since = momentOf(snapshot.since, now, clock.wallNow());
  if (state === 'forcedOpen' || state === 'disabled') {
    core.say('operator', { state, reason: String(reason) });
    machine.backdate(since);
  } else {
    if (state === 'closed') core.tally.clear();
    core.say('operator', undefined);
    machine.restore(state, String(reason), left, openings, now, since);
  }
  core.refusals.remember(state, summaryIn(snapshot));
}

/** A moment of the past on the monotonic clock; what is none is now. */
function momentOf(epochMs: unknown, now: number, wallNow: number): number {
  if (typeof epochMs !== 'number' || !Number.isFinite(epochMs)) return now;
  return now - Math.max(0, wallNow - epochMs);
}

/** What a snapshot tells of the opening; those of former versions tell nothing. */
function summaryIn({ failures, calls, lastError }: BreakerSnapshot): OpenSummary | undefined {
  if (typeof failures !== 'number' || typeof calls !== 'number') return undefined;
  return {
    failures,
    calls,
    lastError: typeof lastError === 'string' ? lastError : undefined,
  };
}
