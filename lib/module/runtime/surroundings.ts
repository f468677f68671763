import { systemClock, type Clock } from '../../kernel/clock.js';

/** What an app takes from outside, once: tests and simulations bring their own. */
export interface Surroundings {
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** The time of the machine, and its chance as it is at this moment: a test may have replaced it. */
export function systemSurroundings(): Surroundings {
  return { clock: systemClock, random: Math.random };
}
