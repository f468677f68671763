import type { Call, Next } from '../../kernel/call.js';
import type { Policy } from '../../kernel/policy.js';
import { rejected } from '../../kernel/rejection.js';
import type { CircuitBreakerPolicy } from './circuit-breaker.policy.js';

/**
 * Stands for a breaker that others share and that a rule has taken off one method: its calls are neither counted nor
 * judged there. Only what was forced open by somebody who goes before the rules refuses them.
 */
export class ForcedOnlyPolicy implements Policy {
  constructor(private readonly breaker: CircuitBreakerPolicy) {}

  isClosedFor(call: Call): boolean {
    return this.breaker.forcedFor(call) === undefined;
  }

  execute(call: Call, next: Next): Promise<unknown> {
    const core = this.breaker.forcedFor(call);
    return core === undefined ? next(call) : rejected(core.refusal(call.instant()));
  }
}
