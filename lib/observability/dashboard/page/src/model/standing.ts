import type { BreakerState } from '../../../protocol.js';
import type { Numbers } from './sample.js';
import type { Recent } from './trend.js';

/** How an instance stands: the one thing that whoever looks must know of it first. */
export type Standing =
  | 'open'
  | 'forcedOpen'
  | 'halfOpen'
  | 'keysOpen'
  | 'failing'
  | 'refusing'
  | 'queueing'
  | 'disabled'
  | 'closed'
  | 'ok'
  | 'idle';

/** Worst first. */
export const STANDINGS: readonly Standing[] = [
  'open',
  'forcedOpen',
  'halfOpen',
  'keysOpen',
  'failing',
  'refusing',
  'queueing',
  'disabled',
  'closed',
  'ok',
  'idle',
];

export const STANDING_LABELS: Readonly<Record<Standing, string>> = {
  open: 'Open',
  forcedOpen: 'Forced open',
  halfOpen: 'Half-open',
  keysOpen: 'Keys open',
  failing: 'Failing',
  refusing: 'Refusing',
  queueing: 'Queueing',
  disabled: 'Disabled',
  closed: 'Closed',
  ok: 'OK',
  idle: 'Idle',
};

export const STATE_LABELS: Readonly<Record<BreakerState, string>> = {
  open: 'open',
  forcedOpen: 'forced open',
  halfOpen: 'half-open',
  closed: 'closed',
  disabled: 'disabled',
};

/** From these shares of calls on, something is wrong; below, it is a stray failure. */
const FAILING_FROM = 0.05;
const FAILING_WINDOW_FROM = 0.25;

/** @param recent the sums of the last ten seconds: one second alone would make the list restless. */
export function standingOf(numbers: Numbers, recent: Recent): Standing {
  const { state } = numbers;
  if (state === 'open' || state === 'forcedOpen' || state === 'halfOpen') return state;
  if (numbers.keysNotClosed > 0) return 'keysOpen';
  const made = recent.calls - recent.refused;
  if (made > 0 && recent.failed / made >= FAILING_FROM) return 'failing';
  if (state === 'closed' && (numbers.failureRatio ?? 0) >= FAILING_WINDOW_FROM) return 'failing';
  if (recent.refused > 0 && recent.refused / recent.calls >= FAILING_FROM) return 'refusing';
  if (numbers.waiting > 0) return 'queueing';
  if (state === 'disabled') return 'disabled';
  if (recent.calls === 0 && numbers.inFlight === 0) return 'idle';
  return state === 'closed' ? 'closed' : 'ok';
}

/** Whether somebody should look. */
export function isTrouble(standing: Standing): boolean {
  return STANDINGS.indexOf(standing) < STANDINGS.indexOf('disabled');
}

/** The colours: few, and never the only sign. */
export type Tone = 'bad' | 'warn' | 'busy' | 'held' | 'good' | 'quiet';

export function toneOf(standing: Standing): Tone {
  switch (standing) {
    case 'open':
    case 'failing':
      return 'bad';
    case 'halfOpen':
    case 'keysOpen':
    case 'refusing':
      return 'warn';
    case 'queueing':
      return 'busy';
    case 'forcedOpen':
    case 'disabled':
      return 'held';
    case 'closed':
    case 'ok':
      return 'good';
    case 'idle':
      return 'quiet';
  }
}
