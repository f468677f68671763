import { TimeoutException } from '../../errors/timeout.exception.js';
import type { Call, ItemTimer, Next } from '../../kernel/call.js';
import type { Policy, PolicyEnvironment } from '../../kernel/policy.js';
import { rejection } from '../../kernel/rejection.js';
import { Deadline, type DeadlineQueue } from '../../kernel/deadline-queue.js';
import { deadlineQueue } from '../../kernel/deadline-queues.js';

/**
 * Bounds a whole call: attempts, waits for a slot and pauses between attempts. It cuts a call inside its own, so that
 * a fallback outside it can still work.
 */
export class TotalTimeoutPolicy implements Policy {
  readonly #queue: DeadlineQueue;

  constructor(
    private readonly name: string,
    private readonly ms: number,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#queue = deadlineQueue(environment, ms);
  }

  execute(call: Call, next: Next): Promise<unknown> {
    const bounded = call.fork(1);
    const limit = new TotalLimit(this, this.#queue, bounded);
    this.#queue.add(limit, call.instant());
    bounded.limit(limit.due);
    bounded.itemTimer = limit;
    return next(bounded).then(
      (value) => (limit.pause(), value),
      (error: unknown) => (limit.pause(), rejection(error)),
    );
  }

  /** @internal */
  expired(call: Call): TimeoutException {
    const queued = !call.begun;
    const { events } = this.environment;
    if (events.active) {
      const event = { limitMs: this.ms, scope: 'total', queued } as const;
      events.emit({ type: 'timeout', name: this.name, policy: 'timeout', ...event });
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

/** The limit of one call: it ends at the first item of a stream. */
class TotalLimit extends Deadline implements ItemTimer {
  constructor(
    private readonly policy: TotalTimeoutPolicy,
    private readonly queue: DeadlineQueue,
    private readonly call: Call,
  ) {
    super();
  }

  expire(): void {
    this.call.abort(this.policy.expired(this.call));
  }

  pause(): void {
    this.queue.remove(this);
    this.call.limit(Infinity);
  }

  resume(): void {
    // A stream that has begun is bounded from item to item by the limit of its attempt.
  }
}
