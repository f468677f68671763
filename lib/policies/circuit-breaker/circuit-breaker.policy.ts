import type { Call, Next } from '../../kernel/call.js';
import { observed } from '../../kernel/observed.js';
import type { Policy } from '../../kernel/policy.js';
import { rejected } from '../../kernel/rejection.js';
import { JudgedAttempt } from './judged-attempt.js';
import { NamedBreakers } from './named-breakers.js';
import { REFUSED } from './permit.js';

/** Turns calls away while the dependency fails, and judges every attempt that it lets through. */
export class CircuitBreakerPolicy extends NamedBreakers implements Policy {
  execute(call: Call, next: Next): Promise<unknown> {
    const core = this.select(call);
    const since = call.instant();
    if (core.hears('fire')) core.tell('fire', call.args);
    const weight = core.admit(since);
    if (weight === REFUSED) {
      if (!core.watchesOnly && !call.underway) return rejected(core.refusal(since));
      core.lookOn(since);
    } else {
      call.probe = core.machine.recorded === 'halfOpen' && core.options.mode === 'normal';
      call.waitingRoom = core;
    }
    return observed(call, next, new JudgedAttempt(core, call, core.machine.epoch, since, weight));
  }
}
