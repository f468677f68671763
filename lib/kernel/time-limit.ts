import type { Attempt } from './attempt.js';
import type { DeadlineQueue } from './deadline-queue.js';
import { Guard, refused, type Admission } from './guard.js';

/**
 * Bounds each attempt by time, its waits for a turn included; of a stream the time to each next item. What the method
 * still does then goes on without an audience; its late result is dropped.
 */
export class TimeLimit extends Guard {
  constructor(
    private readonly queue: DeadlineQueue,
    private readonly errorOf: (attempt: Attempt) => Error,
    private readonly now: () => number,
  ) {
    super();
  }

  override get holds(): boolean {
    return false;
  }

  admit(attempt: Attempt): Admission {
    if (attempt.aborted) return refused(attempt.reason);
    this.queue.add(attempt, attempt.since);
    return undefined;
  }

  override settled(attempt: Attempt): void {
    this.queue.remove(attempt);
  }

  override released(attempt: Attempt): void {
    this.queue.remove(attempt);
  }

  override item(attempt: Attempt): void {
    this.queue.remove(attempt);
  }

  override wanted(attempt: Attempt): void {
    if (attempt.settled) return;
    this.queue.remove(attempt);
    this.queue.add(attempt, this.now());
  }

  /** The error of an attempt whose time is over. */
  expired(attempt: Attempt): Error {
    try {
      return this.errorOf(attempt);
    } catch (fault) {
      // Its time is over whatever goes wrong meanwhile.
      return fault as Error;
    }
  }
}
