import type { BreakerCore } from './breaker-core.js';
import type { BreakerStats } from './breaker-stats.js';

/**
 * What `toJSON()` says of a breaker's state. A type, since an interface would be no `Record`.
 *
 * @publicApi
 */
export type BreakerState = {
  name: string;
  enabled: boolean;
  closed: boolean;
  open: boolean;
  halfOpen: boolean;
  warmUp: boolean;
  shutdown: boolean;
  /** When it opened, or began to probe, epoch ms; undefined while it is closed. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- opossum gives a number, its published types say a symbol
  lastTimerAt: any;
};

/**
 * A breaker as opossum shows it to whoever serialises it.
 *
 * @publicApi
 */
export interface BreakerJson {
  state: BreakerState;
  status: BreakerStats;
}

/** A breaker as far as it is shown. */
interface Shown {
  readonly name: string;
  readonly enabled: boolean;
  readonly closed: boolean;
  readonly opened: boolean;
  readonly halfOpen: boolean;
  readonly warmUp: boolean;
  readonly isShutdown: boolean;
  readonly core: BreakerCore;
  readonly stats: BreakerStats;
}

export function jsonOf(breaker: Shown): BreakerJson {
  const { name, enabled, closed, opened: open, halfOpen, warmUp, isShutdown: shutdown, core } = breaker;
  const { clock } = core.environment;
  const now = clock.now();
  const lastTimerAt = open || halfOpen ? Math.round(clock.wallNow() - (now - core.machine.sinceAt(now))) : undefined;
  const state = { name, enabled, closed, open, halfOpen, warmUp, shutdown, lastTimerAt };
  return { state, status: breaker.stats };
}
