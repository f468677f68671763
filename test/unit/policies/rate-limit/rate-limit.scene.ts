import type { RateLimitExceededException } from '../../../../lib/errors/rate-limit-exceeded.exception.js';
import type { Attempt } from '../../../../lib/kernel/attempt.js';
import { resolveRateLimit, type RateLimitOptions } from '../../../../lib/policies/rate-limit/rate-limit.options.js';
import { RateLimitGuard } from '../../../../lib/policies/rate-limit/rate-limit.guard.js';
import { RateLimiter } from '../../../../lib/policies/rate-limit/rate-limiter.js';
import { execute, method, newCall } from '../../../support/calls.js';
import { settle, track, type Tracked } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

/** A call that was let through. */
export interface Begun {
  readonly args: readonly unknown[];
  /** When it began, ms after the scene did. */
  readonly at: number;
}

/** A limiter named `search`, and the calls under it. */
export class RateLimitScene {
  readonly limiter: RateLimiter;
  readonly begun: Begun[] = [];
  readonly results: Tracked[] = [];
  readonly #start: number;

  constructor(
    options: RateLimitOptions = {},
    readonly environment = new TestEnvironment(),
  ) {
    const resolved = resolveRateLimit('test', { limit: 10, per: 1_000, onLimit: 'reject', ...options });
    this.limiter = new RateLimiter('search', resolved, environment);
    this.#start = environment.clock.now();
  }

  get clock() {
    return this.environment.clock;
  }

  /** ms since the scene began. */
  get now(): number {
    return this.clock.now() - this.#start;
  }

  /** When the calls began. */
  get times(): number[] {
    return this.begun.map(({ at }) => at);
  }

  /** Makes a call whose method ends at once. */
  call(args: readonly unknown[] = [], prepare?: (call: Attempt) => void, perAttempt?: number): Tracked {
    const call = newCall(this.environment, { args });
    prepare?.(call);
    const work = method(() => {
      this.begun.push({ args, at: this.now });
      return args;
    });
    const result = track(execute(new RateLimitGuard(this.limiter, perAttempt), call, work));
    this.results.push(result);
    return result;
  }

  /** Makes `count` calls at once. */
  burst(count: number, args?: readonly unknown[]): Tracked[] {
    return Array.from({ length: count }, () => this.call(args));
  }

  /** Makes one call and tells how it ended by now: it began, it waits, or it was refused with this error. */
  async attempt(args?: readonly unknown[]): Promise<'begun' | 'waits' | RateLimitExceededException> {
    const before = this.begun.length;
    const result = this.call(args);
    await settle();
    if (result.status === 'rejected') return result.outcome as RateLimitExceededException;
    return this.begun.length > before ? 'begun' : 'waits';
  }

  /** How many of `count` calls at once are let through at once. */
  async admitted(count: number, args?: readonly unknown[]): Promise<number> {
    const before = this.begun.length;
    this.burst(count, args);
    await settle();
    return this.begun.length - before;
  }
}
