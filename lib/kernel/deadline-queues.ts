import { DeadlineQueue } from './deadline-queue.js';
import type { Clock } from './clock.js';
import type { Lifecycle } from './lifecycle.js';

interface Surroundings {
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
}

/** How many durations have a queue at once; beyond it idle ones give way. */
const MAX_QUEUES = 256;

/**
 * One queue, and so one timer, for each duration. Sets that `execute()` is given anew at each call meet in them: a timer
 * of its own for each would stay until it is over.
 */
export class DeadlineQueues {
  readonly #queues = new Map<number, DeadlineQueue>();

  constructor(private readonly environment: Surroundings) {}

  of(ms: number): DeadlineQueue {
    const known = this.#queues.get(ms);
    if (known !== undefined) return known;
    if (this.#queues.size >= MAX_QUEUES) this.#makeRoom();
    const queue = new DeadlineQueue(ms, this.environment.clock, this.environment.lifecycle);
    this.#queues.set(ms, queue);
    return queue;
  }

  /** Every queue in use bounds a call that runs, so that those alone can be more than there is room for. */
  #makeRoom(): void {
    for (const [ms, queue] of this.#queues) {
      if (!queue.idle) continue;
      queue.dropIdleTimer();
      this.#queues.delete(ms);
    }
  }
}

/** The queue for deadlines of `ms`: the policy's own, or the one that the surroundings share. */
export function deadlineQueue(
  environment: Surroundings & { readonly deadlines?: DeadlineQueues },
  ms: number,
): DeadlineQueue {
  const { deadlines, clock, lifecycle } = environment;
  return deadlines === undefined ? new DeadlineQueue(ms, clock, lifecycle) : deadlines.of(ms);
}
