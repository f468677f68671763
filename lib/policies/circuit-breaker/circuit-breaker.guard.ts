import type { Attempt } from '../../kernel/attempt.js';
import { Guard, refused, type Admission } from '../../kernel/guard.js';
import type { Failure } from '../../kernel/outcome/failure.js';
import { recordError, recordValue } from './attempt-outcome.js';
import type { BreakerCore } from './breaker-core.js';
import { REFUSED } from './permit.js';

/** Knows the breaker that an attempt is to meet: the one of a name, or that of its key. */
export interface Breakers {
  select(attempt: Attempt): BreakerCore;
}

/** Turns attempts away while the dependency fails, and judges every one that it lets through. */
export class CircuitBreakerGuard extends Guard {
  constructor(private readonly breakers: Breakers) {
    super();
  }

  override get holds(): boolean {
    return false;
  }

  admit(attempt: Attempt): Admission {
    const core = this.breakers.select(attempt);
    if (core.events.listenedTo) core.tell('fire', attempt.args);
    attempt.weight = core.admit(attempt.since);
    attempt.epoch = core.machine.epoch;
    if (!core.machine.steady) {
      const refusal = this.admitUnsteady(core, attempt);
      if (refusal !== undefined) return refusal;
    }
    attempt.breaker = core;
    return undefined;
  }

  /** An attempt has met a breaker that does not let all pass. */
  private admitUnsteady(core: BreakerCore, attempt: Attempt): Admission {
    if (attempt.weight === REFUSED) {
      if (!core.watchesOnly && attempt.rare?.underway !== true) return refused(core.refusal(attempt.since));
      core.lookOn(attempt.since);
      attempt.rarely().watched = true;
    } else if (core.machine.recorded === 'halfOpen' && core.options.mode === 'normal') attempt.rarely().probe = true;
    return undefined;
  }

  /** Whatever is strange about its value or its error, its caller gets it. */
  override settled(attempt: Attempt, value: unknown, failure: Failure | undefined): void {
    const core = attempt.breaker as BreakerCore | undefined;
    if (core === undefined) return;
    attempt.breaker = undefined;
    core.release();
    try {
      if (failure !== undefined) recordError(core, attempt, failure);
      else if (attempt.weight > 0 || !core.succeededUnmeasured(attempt)) recordValue(core, attempt, value);
    } catch (fault) {
      core.unjudged(attempt, fault);
    }
  }

  override released(attempt: Attempt): void {
    const core = attempt.breaker as BreakerCore | undefined;
    attempt.breaker = undefined;
    core?.release();
  }
}
