import type { AttemptObserver, Call } from '../call.js';
import { recordError, recordValue, type Permit } from './attempt-outcome.js';
import type { BreakerCore } from './breaker-core.js';

/** An attempt that a breaker has let through. Whatever is strange about its value or its error, its caller gets it. */
export class JudgedAttempt implements Permit, AttemptObserver {
  constructor(
    private readonly core: BreakerCore,
    private readonly call: Call,
    readonly epoch: number,
    readonly since: number,
    readonly weight: number,
  ) {}

  succeeded(value: unknown): void {
    try {
      if (this.weight > 0 || !this.core.succeededUnmeasured(this)) recordValue(this.core, this, this.call, value);
    } catch (fault) {
      report(this.core, fault);
    }
  }

  failed(error: unknown): void {
    try {
      recordError(this.core, this, this.call, error);
    } catch (fault) {
      report(this.core, fault);
    }
  }
}

function report({ environment, place }: BreakerCore, fault: unknown): void {
  environment.reportCallback(`${place}, judging an outcome`, fault);
}
