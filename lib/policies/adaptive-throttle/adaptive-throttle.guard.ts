import type { Attempt } from '../../kernel/attempt.js';
import { endOf, type AttemptEnd } from '../../kernel/attempt-end.js';
import type { Clock } from '../../kernel/clock.js';
import { Guard, refused, type Admission } from '../../kernel/guard.js';
import type { Failure } from '../../kernel/outcome/failure.js';
import type { AdaptiveThrottle } from './adaptive-throttle.js';

/** Whether the dependency has accepted an attempt that ended so; undefined: that says nothing of it. */
const ACCEPTED: Readonly<Record<AttemptEnd, boolean | undefined>> = {
  answered: true,
  left: true,
  failure: false,
  refused: undefined,
  lost: undefined,
  notBegun: undefined,
  shutDown: undefined,
  aborted: undefined,
};

/** Refuses a part of the attempts while the dependency refuses or fails many of them. */
export class AdaptiveThrottleGuard extends Guard {
  constructor(
    private readonly throttle: AdaptiveThrottle,
    private readonly clock: Clock,
  ) {
    super();
  }

  override get holds(): boolean {
    return false;
  }

  admit(attempt: Attempt): Admission {
    // What is under way already, or finds out whether all is well again, is not left to chance.
    if (attempt.rare !== undefined && (attempt.rare.underway || attempt.rare.probe)) return undefined;
    const refusal = this.throttle.refusal(attempt.since);
    return refusal === undefined ? undefined : refused(refusal);
  }

  override settled(attempt: Attempt, _value: unknown, failure: Failure | undefined): void {
    const accepted = failure === undefined ? true : ACCEPTED[endOf(attempt, failure)];
    if (accepted !== undefined) this.throttle.ended(accepted, failure === undefined ? attempt.since : this.clock.now());
  }
}
