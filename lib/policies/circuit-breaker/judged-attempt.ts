import type { AttemptObserver } from '../../kernel/call.js';
import { recordError, recordValue, type Attempt, type ErrorOutcome } from './attempt-outcome.js';
import type { BreakerCore } from './breaker-core.js';
import type { Permit } from './permit.js';

/** An attempt that a breaker has let through. Whatever is strange about its value or its error, its caller gets it. */
export class JudgedAttempt implements Permit, AttemptObserver {
  constructor(
    private readonly core: BreakerCore,
    private readonly attempt: Attempt,
    readonly epoch: number,
    readonly since: number,
    readonly weight: number,
  ) {}

  succeeded(value: unknown): void {
    this.core.release();
    try {
      if (this.weight > 0 || !this.core.succeededUnmeasured(this)) recordValue(this.core, this, this.attempt, value);
    } catch (fault) {
      this.core.unjudged(this, fault);
    }
  }

  /** @returns what the error means for the breaker; undefined where it could not be judged. */
  failed(error: unknown): ErrorOutcome | undefined {
    this.core.release();
    try {
      return recordError(this.core, this, this.attempt, error);
    } catch (fault) {
      this.core.unjudged(this, fault);
      return undefined;
    }
  }
}
