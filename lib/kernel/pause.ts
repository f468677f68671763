import type { Call } from './call.js';
import type { Timer } from './clock.js';
import { MAX_DELAY_MS } from './options/check.js';
import type { Target } from './target.js';
import { Wait } from './wait.js';

/** Waits `ms`. The wait ends at once, with the reason, when the call is cut, and at shutdown with `atShutdown()`. */
export function pause(call: Call, ms: number, target: Target, atShutdown: () => Error): Promise<void> {
  return new Promise((resolve, reject) => new Pause(call, ms, target, atShutdown).begin(resolve, reject));
}

/** A call between two attempts. */
class Pause extends Wait {
  #timer: Timer | undefined;

  constructor(
    call: Call,
    private readonly ms: number,
    private readonly target: Target,
    protected override readonly shutDownError: () => Error,
  ) {
    super(call, target.lifecycle);
  }

  expire(): void {
    this.grant();
  }

  protected join(): void {
    const ms = Math.min(Math.ceil(this.ms), MAX_DELAY_MS);
    this.#timer = this.target.clock.setTimeout(() => this.expire(), ms);
  }

  protected quit(): void {
    if (this.#timer !== undefined) this.target.clock.clearTimeout(this.#timer);
  }

  protected passOn(): void {
    // Nobody else waits for its time.
  }
}
