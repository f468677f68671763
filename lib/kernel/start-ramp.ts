import type { Clock } from './clock.js';

/**
 * How limits grow when the app starts: caches are empty then, connections are not made, and code is not compiled. As the
 * `recovery` of a breaker does, they begin with a share of themselves and grow to all of it.
 *
 * @publicApi
 */
export interface StartRampOptions {
  /** How long they grow, ms. */
  over: number;
  /** The share that they begin with, 0 to 1. One call may always run. */
  from: number;
}

/** The share of its limits that an app has just now. */
export class StartRamp {
  /** Undefined: it has not started yet. */
  #since: number | undefined = undefined;

  constructor(
    private readonly options: StartRampOptions,
    private readonly clock: Clock,
  ) {}

  /** The app has started. */
  begin(): void {
    this.#since ??= this.clock.now();
  }

  /** What there is of `limit` now. */
  of(limit: number): number {
    const { over, from } = this.options;
    const passed = this.#since === undefined ? 0 : (this.clock.now() - this.#since) / over;
    return passed >= 1 ? limit : Math.max(1, Math.floor(limit * (from + (1 - from) * passed)));
  }
}
