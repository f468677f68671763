import type { Call, Next } from '../call.js';
import type { Policy } from '../policy.js';
import { rejected } from '../rejection.js';
import type { RateLimiter } from './rate-limiter.js';

/** Lets calls begin at a bounded rate; the others are refused, or wait for their turn. */
export class RateLimitPolicy implements Policy {
  /** @param perAttempt what bounds wait and run of an attempt together, ms. */
  constructor(
    private readonly limiter: RateLimiter,
    private readonly perAttempt = Infinity,
  ) {}

  execute(call: Call, next: Next): Promise<unknown> {
    if (call.aborted) return rejected(call.reason);
    const turn = this.limiter.admit(call, this.perAttempt);
    // The work begins as the continuation of its own wait, and so in the context of its caller.
    return turn === undefined ? next(call) : turn.then(() => next(call));
  }
}
