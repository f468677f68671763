import { isRefusal } from '../errors/resilience.exception.js';
import type { Call } from '../kernel/call.js';
import { PASS, type Decision } from '../kernel/decision.js';
import { observationOf } from '../kernel/observation-of.js';
import type { Failure } from '../kernel/outcome/failure.js';

/**
 * Lets a call answer its own refusals, where whoever made it has said how. The error of a handler goes to the caller: no
 * fallback mends it.
 */
export const REFUSAL_DECISION: Decision = {
  answers: false,
  failed(call: Call, { error }: Failure): unknown {
    const onRefused = call.origin?.onRefused;
    if (onRefused === undefined || !isRefusal(error)) return PASS;
    observationOf(call.current)?.substituted();
    return onRefused(error, call.substitute());
  },
};
