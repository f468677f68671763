import type { Call, Next } from '../../kernel/call.js';
import { observed } from '../../kernel/observed.js';
import type { Policy } from '../../kernel/policy.js';
import { rejected, rejection } from '../../kernel/rejection.js';
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
    if (turn === undefined) return next(call);
    // Whoever is to be told how the attempt ends is told so by what comes after the wait, or here if nothing does.
    const { observer } = call;
    call.observer = undefined;
    // The work begins as the continuation of its own wait, and so in the context of its caller.
    if (observer === undefined) return turn.then(() => next(call));
    return turn.then(
      () => observed(call, next, observer),
      (error: unknown) => {
        observer.failed(error);
        return rejection(error);
      },
    );
  }
}
