import { TimeoutException } from '../../errors/timeout.exception.js';
import type { Call, CallLimit } from '../../kernel/call.js';
import type { DeadlineQueue } from '../../kernel/deadline-queue.js';
import { deadlineQueue } from '../../kernel/deadline-queues.js';
import { PASS, type Decision } from '../../kernel/decision.js';
import { observationOf } from '../../kernel/observation-of.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';

/**
 * Bounds a whole call: attempts, waits for a slot and pauses between attempts. What stands in for the call, outside it,
 * still can.
 */
export class TotalTimeoutDecision implements Decision, CallLimit {
  readonly answers = false;
  readonly #queue: DeadlineQueue;

  constructor(
    private readonly name: string,
    private readonly ms: number,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#queue = deadlineQueue(environment, ms);
  }

  begin(call: Call): void {
    call.abortable = true;
    call.limit = this;
    this.#queue.add(call, call.current.since);
  }

  end(call: Call): void {
    this.#queue.remove(call);
  }

  failed(call: Call): typeof PASS {
    this.end(call);
    return PASS;
  }

  expired(call: Call): TimeoutException {
    const queued = !call.begun;
    const { events } = this.environment;
    if (events.active) {
      const event = { limitMs: this.ms, scope: 'total', queued } as const;
      events.emit({ type: 'timeout', name: this.name, policy: 'timeout', ...event }, observationOf(call.current));
    }
    return new TimeoutException({
      policy: 'timeout',
      instanceName: this.name,
      message: `${this.name} was not done within ${this.ms} ms in all${queued ? ', and did not get its turn' : ''}`,
      details: { limitMs: this.ms, scope: 'total' },
      queued,
    });
  }
}
