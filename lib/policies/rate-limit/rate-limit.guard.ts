import type { Attempt } from '../../kernel/attempt.js';
import { Guard, refused, type Admission } from '../../kernel/guard.js';
import type { RateLimiter } from './rate-limiter.js';

/** Lets attempts begin at a bounded rate; the others are refused, or wait for their turn. */
export class RateLimitGuard extends Guard {
  /** @param perAttempt what bounds wait and run of an attempt together, ms. */
  constructor(
    private readonly limiter: RateLimiter,
    private readonly perAttempt = Infinity,
  ) {
    super();
  }

  override get holds(): boolean {
    return false;
  }

  admit(attempt: Attempt): Admission {
    return attempt.aborted ? refused(attempt.reason) : this.limiter.admit(attempt, this.perAttempt);
  }
}
