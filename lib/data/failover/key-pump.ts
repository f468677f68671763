import type { Clock, Timer } from '../../kernel/clock.js';
import { exponential } from '../../kernel/backoff/exponential.js';
import { retryAfterOf } from '../../kernel/retry-after.js';
import { outsideCalls } from '../port/outside-calls.js';

export interface KeyPumpInit {
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** How many keys are worked on at the same time. */
  readonly concurrency: number;
  /** Does what a key needs; rejects when that cannot be done now. */
  work(key: string): Promise<void>;
}

const PAUSES = exponential({ initial: 100, max: 2_000, jitter: 'equal' });

/**
 * Works off keys, first come first served, each by one worker at a time. After a failure all rest, longer each time, and
 * then a single one tries; the key that failed goes behind the others, so it holds up none of them.
 */
export class KeyPump {
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  #failures = 0;
  #rest: Timer | undefined;
  #stopped = false;
  #onIdle: (() => void) | undefined;

  constructor(private readonly init: KeyPumpInit) {}

  /** Has a key worked on, once more where that is being done now. */
  add(key: string): void {
    this.#waiting.add(key);
    this.#fill();
  }

  /** Ends a rest: there is a sign that it works again. */
  wake(): void {
    if (this.#rest === undefined) return;
    this.init.clock.clearTimeout(this.#rest);
    this.#rest = undefined;
    this.#fill();
  }

  /** Resolves when nothing is left to do, or the next thing has to wait for better times. */
  settled(): Promise<void> {
    if (this.#isSettled()) return Promise.resolve();
    return new Promise((resolve) => (this.#onIdle = resolve));
  }

  /** Begins nothing more, and waits for what runs. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#rest !== undefined) this.init.clock.clearTimeout(this.#rest);
    this.#rest = undefined;
    await Promise.all(this.#running.values());
  }

  #fill(): void {
    if (this.#stopped || this.#rest !== undefined) return;
    const limit = this.#failures > 0 ? 1 : this.init.concurrency;
    for (const key of this.#waiting) {
      if (this.#running.size >= limit) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.set(
        key,
        outsideCalls(() => this.#run(key)),
      );
    }
  }

  async #run(key: string): Promise<void> {
    try {
      await this.init.work(key);
      this.#failures = 0;
    } catch (error) {
      this.#waiting.add(key);
      this.#pause(error);
    } finally {
      this.#running.delete(key);
      this.#fill();
      if (this.#isSettled()) this.#onIdle?.();
    }
  }

  #pause(error: unknown): void {
    if (this.#stopped || this.#rest !== undefined) return;
    const { clock, random } = this.init;
    this.#failures++;
    const pause = PAUSES.series(random)(this.#failures, error, undefined as never);
    const askedFor = error instanceof Error ? retryAfterOf(error.cause, clock) : undefined;
    this.#rest = clock.setTimeout(() => this.wake(), Math.max(1, pause, askedFor ?? 0));
    this.#rest.unref();
  }

  #isSettled(): boolean {
    return this.#running.size === 0 && (this.#waiting.size === 0 || this.#rest !== undefined || this.#stopped);
  }
}
