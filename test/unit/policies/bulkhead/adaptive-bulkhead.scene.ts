import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { adaptive, type AdaptiveOptions } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { BULKHEAD_DEFAULTS } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../../lib/policies/bulkhead/bulkhead.guard.js';
import { attemptTimeout } from '../../../../lib/policies/timeout/attempt-timeout.guard.js';
import { guarded, method, newCall } from '../../../support/calls.js';
import { TestEnvironment } from '../../../support/test-environment.js';

/** A bulkhead whose limit follows latency, and work under it. */
export class AdaptiveBulkheadScene {
  readonly environment = new TestEnvironment();
  readonly bulkhead: BulkheadGuard;

  constructor(options: AdaptiveOptions) {
    const all = { ...BULKHEAD_DEFAULTS, maxConcurrent: adaptive(options) };
    this.bulkhead = new BulkheadGuard('payments', all, this.environment);
  }

  /** Keeps `demand` calls going for `ms`, each made anew as soon as it has ended or was refused. */
  async drive(demand: number, ms: number, body: () => Promise<unknown>, perAttempt?: number): Promise<void> {
    const { environment, bulkhead } = this;
    const { clock } = environment;
    const timeout = perAttempt === undefined ? undefined : attemptTimeout('payments', perAttempt, environment);
    const run = guarded({ 'timeout.perAttempt': timeout, bulkhead }, method(body), { endsEarly: true });
    const end = clock.now() + ms;
    const caller = async () => {
      while (clock.now() < end) {
        await run(newCall(environment)).catch((error: unknown) =>
          error instanceof BulkheadFullException ? this.pause(5) : undefined,
        );
      }
    };
    const callers = Array.from({ length: demand }, caller);
    await clock.advance(ms + 2_000);
    await Promise.all(callers);
  }

  /** Work of 50 ms, of which `slots` go on at once. */
  service(slots: number): () => Promise<void> {
    let running = 0;
    const waiting: (() => void)[] = [];
    return async () => {
      if (running >= slots) await new Promise<void>((resolve) => waiting.push(resolve));
      running++;
      await this.pause(50);
      running--;
      waiting.shift()?.();
    };
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.environment.clock.setTimeout(resolve, ms));
  }
}
