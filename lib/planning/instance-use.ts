import type { BulkheadGuard } from '../policies/bulkhead/bulkhead.guard.js';
import type { BreakerCore } from '../policies/circuit-breaker/breaker-core.js';
import type { NamedBreakers } from '../policies/circuit-breaker/named-breakers.js';
import type { RateLimiter } from '../policies/rate-limit/rate-limiter.js';

/** What would be lost with the state of a name. */
export enum Loss {
  /** It is as if it were new. */
  Nothing,
  /** Something is remembered: that a dependency is down, what was used of a limit. */
  Memory,
  /** Calls run or wait, or an operator has spoken: it stays. */
  Work,
}

/** What would be lost with what keeps state under one name. */
export function lossWith(
  breaker: NamedBreakers | undefined,
  bulkhead: BulkheadGuard | undefined,
  limiter: RateLimiter | undefined,
  now: number,
): Loss {
  const losses: Loss[] = [Loss.Nothing];
  if (breaker !== undefined) {
    const all = [breaker.breaker(), ...breaker.breakers()];
    losses.push(...all.map((one) => (one === undefined ? Loss.Nothing : lossWithBreaker(one.core, now))));
  }
  if (bulkhead !== undefined && bulkhead.active + bulkhead.waiting > 0) losses.push(Loss.Work);
  if (limiter !== undefined) losses.push(lossWithLimiter(limiter, now));
  return Math.max(...losses);
}

function lossWithBreaker(core: BreakerCore, now: number): Loss {
  if (core.inFlight > 0 || core.wordOf('operator') !== undefined || core.wordOf('command') !== undefined)
    return Loss.Work;
  const { state } = core.machine.ownAt(now);
  return state === 'closed' || state === 'halfOpen' ? Loss.Nothing : Loss.Memory;
}

function lossWithLimiter(limiter: RateLimiter, now: number): Loss {
  if (limiter.waiting > 0) return Loss.Work;
  return limiter.owesAt(now) ? Loss.Memory : Loss.Nothing;
}
