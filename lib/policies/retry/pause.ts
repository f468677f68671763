import type { Call } from '../../kernel/call.js';
import type { Timer } from '../../kernel/clock.js';
import { MAX_DELAY_MS } from '../../kernel/options/check.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';
import { Wait } from '../../kernel/wait.js';

/**
 * Waits `ms`. The wait ends at once, with the reason, when the call is cut, and at shutdown with `atShutdown()`.
 */
export function pause(ms: number, call: Call, environment: PolicyEnvironment, atShutdown: () => Error): Promise<void> {
  return new Promise((resolve, reject) => new Pause(ms, call, environment, atShutdown, resolve, reject).begin());
}

class Pause extends Wait {
  #timer: Timer | undefined;

  constructor(
    private readonly ms: number,
    call: Call,
    private readonly environment: PolicyEnvironment,
    protected override readonly shutDownError: () => Error,
    private readonly onEnd: () => void,
    onCut: (error: unknown) => void,
  ) {
    super(call, environment.lifecycle, onCut);
  }

  expire(): void {
    if (this.over()) this.onEnd();
  }

  protected join(): void {
    const ms = Math.min(Math.ceil(this.ms), MAX_DELAY_MS);
    this.#timer = this.environment.clock.setTimeout(() => this.expire(), ms);
  }

  protected quit(): void {
    if (this.#timer !== undefined) this.environment.clock.clearTimeout(this.#timer);
  }
}
