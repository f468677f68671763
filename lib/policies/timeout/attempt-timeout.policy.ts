import { TimeoutException } from '../../errors/timeout.exception.js';
import type { AttemptObserver, Call, ItemTimer, Next } from '../../kernel/call.js';
import type { Policy, PolicyEnvironment } from '../../kernel/policy.js';
import { rejected } from '../../kernel/rejection.js';
import { Deadline, type DeadlineQueue } from '../../kernel/deadline-queue.js';
import { deadlineQueue } from '../../kernel/deadline-queues.js';

/**
 * Bounds one attempt by time, and ends it at once when it is cut from outside: by its caller, by the total limit or
 * by the deadline of the guarded call around it. What the method still does then goes on without an audience; its late
 * result is dropped.
 */
export class AttemptTimeoutPolicy implements Policy {
  readonly #queue: DeadlineQueue | undefined;

  /**
   * @param ms undefined: no limit of its own, cut only from outside.
   * @param limitOf whose option it is: few know that their breaker has a limit, so that it is told to operators as well.
   */
  constructor(
    private readonly name: string,
    private readonly ms: number | undefined,
    private readonly environment: PolicyEnvironment,
    private readonly limitOf?: 'circuitBreaker',
  ) {
    this.#queue = ms === undefined ? undefined : deadlineQueue(environment, ms);
  }

  execute(call: Call, next: Next): Promise<unknown> {
    if (call.aborted) return rejected(call.reason);
    if (this.#queue === undefined && !call.abortable) return next(call);
    return new Promise((resolve, reject) => {
      const guard = new AttemptGuard(this, this.#queue, call, resolve, reject);
      guard.start();
      next(call).then(guard.resolve, guard.reject);
    });
  }

  /** @internal */
  now(): number {
    return this.environment.clock.now();
  }

  /** @internal */
  expired(call: Call): TimeoutException {
    const queued = call.startedAt === undefined;
    const limitMs = this.ms as number;
    const { name, limitOf } = this;
    const { events } = this.environment;
    if (events.active || (limitOf === 'circuitBreaker' && events.hearsChanges)) {
      const whose = limitOf === undefined ? {} : { limitOf };
      const event = { limitMs, scope: 'perAttempt', queued, ...whose } as const;
      events.emitChange({ type: 'timeout', name, policy: 'timeout', ...event });
    }
    return new TimeoutException({
      policy: 'timeout',
      instanceName: this.name,
      message: queued
        ? `${this.name} did not get its turn within ${limitMs} ms`
        : `${this.name} gave no answer within ${limitMs} ms (attempt ${call.attempt})`,
      details: { limitMs, attempt: call.attempt, scope: 'perAttempt' },
      queued,
    });
  }
}

/** One attempt under a limit. The first of answer, time and cut settles it. */
class AttemptGuard extends Deadline implements ItemTimer {
  #settled = false;
  #observer: AttemptObserver | undefined = undefined;

  constructor(
    private readonly policy: AttemptTimeoutPolicy,
    private readonly queue: DeadlineQueue | undefined,
    private readonly call: Call,
    private readonly onResolve: (value: unknown) => void,
    private readonly onReject: (error: unknown) => void,
  ) {
    super();
  }

  start(): void {
    this.#observer = this.call.observer;
    this.call.observer = undefined;
    this.call.onAbort(this.reject);
    this.call.bounded = true;
    if (this.queue === undefined) return;
    this.queue.add(this, this.call.waitingSince ?? this.call.instant());
    this.call.limit(this.due);
    this.call.itemTimer = this;
  }

  readonly resolve = (value: unknown): void => {
    if (!this.#settle()) return;
    this.#observer?.succeeded(value);
    this.onResolve(value);
  };

  /** Also what cuts it: the reason is the error then. */
  readonly reject = (error: unknown): void => {
    if (!this.#settle()) return;
    this.#observer?.failed(error);
    this.onReject(error);
  };

  expire(): void {
    this.call.abort(this.policy.expired(this.call));
  }

  pause(): void {
    this.queue?.remove(this);
    this.call.limit(Infinity);
  }

  resume(): void {
    if (this.#settled || this.queue === undefined) return;
    this.queue.remove(this);
    this.queue.add(this, this.policy.now());
    this.call.limit(this.due);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.queue?.remove(this);
    this.call.offAbort(this.reject);
    // What the method has left running in the background is not bound by a call that is over.
    this.call.end();
    return true;
  }
}
