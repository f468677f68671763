import type { Attempt } from '../../kernel/attempt.js';
import { isSignalled } from '../../kernel/call.js';
import { DeadlineQueue } from '../../kernel/deadline-queue.js';
import type { PolicyEnvironment } from '../../kernel/policy.js';

/** How long a wait that nothing else bounds goes on while no slot comes back, ms. */
export const STALLED_MS = 30_000;

/** What bounds a wait: a time of its own, or that no slot comes back. */
export interface Patience {
  readonly queue: DeadlineQueue;
  readonly untilStalled: boolean;
}

/** How long calls wait for a slot. Who waits already keeps the time with which it came. */
export class Patiences {
  #waits: Patience | undefined;
  #stalls: Patience | undefined;

  constructor(
    private maxWait: number | undefined,
    private readonly environment: PolicyEnvironment,
  ) {
    this.#waits = this.#waitsOf(maxWait);
  }

  reconfigure(maxWait: number | undefined): void {
    if (maxWait === this.maxWait) return;
    this.maxWait = maxWait;
    this.#waits = this.#waitsOf(maxWait);
  }

  /** What bounds the wait of a call; undefined: something else does, or nothing is to. */
  of(call: Attempt): Patience | undefined {
    if (this.maxWait !== undefined) return this.#waits;
    if (call.deadline !== Infinity || isSignalled(call)) return undefined;
    return (this.#stalls ??= { queue: this.#queueOf(STALLED_MS), untilStalled: true });
  }

  #waitsOf(maxWait = Infinity): Patience | undefined {
    return maxWait === Infinity ? undefined : { queue: this.#queueOf(maxWait), untilStalled: false };
  }

  #queueOf(ms: number): DeadlineQueue {
    return new DeadlineQueue(ms, this.environment.clock, this.environment.lifecycle);
  }
}
