import { BulkheadFullException } from '../errors/bulkhead-full.exception.js';
import { instanceOf } from '../errors/foreign.js';
import type { Call } from '../kernel/call.js';
import { PASS, type Decision } from '../kernel/decision.js';
import { observationOf } from '../kernel/observation-of.js';
import type { Failure } from '../kernel/outcome/failure.js';

/**
 * A scheduled job whose own bulkhead has no slot free is skipped: the run before goes on, which is what the bulkhead is
 * there for, and no error. A bulkhead that its work meets deeper is none of this.
 */
export const SKIP_DECISION: Decision = {
  answers: false,
  failed(call: Call, { error }: Failure): unknown {
    if (call.begun || !instanceOf(error, BulkheadFullException)) return PASS;
    observationOf(call.current)?.substituted('refused');
    return undefined;
  },
};
