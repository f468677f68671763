import type { Attempt } from '../../lib/kernel/attempt.js';
import type { Breaker } from '../../lib/policies/circuit-breaker/breaker.js';
import { CircuitBreakerGuard } from '../../lib/policies/circuit-breaker/circuit-breaker.guard.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { NamedBreakers } from '../../lib/policies/circuit-breaker/named-breakers.js';
import { attemptTimeout } from '../../lib/policies/timeout/attempt-timeout.guard.js';
import { guarded, ManualWork, newCall, type Given } from './calls.js';
import { settle, track, type Tracked } from './settle.js';
import { TestEnvironment } from './test-environment.js';

/** A call under the breaker, whose end the test decides. */
export interface RunningCall {
  readonly call: Attempt;
  readonly result: Tracked;
  /** Whether the method has begun. */
  readonly begun: boolean;
  succeed(value?: unknown): Promise<void>;
  fail(error?: unknown): Promise<void>;
}

/** A breaker named `payments` and the calls under it. Chance is 0: open times are not lengthened. */
export class BreakerScene {
  readonly named: NamedBreakers;
  readonly guard: CircuitBreakerGuard;

  constructor(
    options: CircuitBreakerOptions = {},
    readonly environment = new TestEnvironment(),
  ) {
    environment.chances = [0];
    this.named = new NamedBreakers('payments', { ...CIRCUIT_BREAKER_DEFAULTS, ...options }, environment);
    this.guard = new CircuitBreakerGuard(this.named);
  }

  get clock() {
    return this.environment.clock;
  }

  get breaker(): Breaker {
    return this.named.breaker() as Breaker;
  }

  get state() {
    return this.breaker.state;
  }

  get stats() {
    return this.breaker.stats;
  }

  /** Begins a call, under a limit of `perAttempt` ms where one is given. */
  begin(given: Given = {}, perAttempt?: number): RunningCall {
    const call = newCall(this.environment, given);
    const work = new ManualWork();
    const timeout = perAttempt === undefined ? undefined : attemptTimeout('payments', perAttempt, this.environment);
    const policies = { circuitBreaker: this.guard, 'timeout.perAttempt': timeout };
    const result = track(guarded(policies, work.run, { endsEarly: true })(call));
    return {
      call,
      result,
      get begun() {
        return work.begun > 0;
      },
      succeed: (value) => (work.succeed(0, value), settle()),
      fail: (error) => (work.fail(0, error), settle()),
    };
  }

  /** Makes `count` calls that succeed after `ms`. */
  async succeed(count = 1, ms = 0, given?: Given): Promise<void> {
    const calls = Array.from({ length: count }, () => this.begin(given));
    this.clock.block(ms);
    for (const call of calls) await call.succeed('value');
  }

  /** Makes `count` calls that fail. */
  async fail(count = 1, error: unknown = new Error('boom'), given?: Given): Promise<void> {
    for (let index = 0; index < count; index++) await this.begin(given).fail(error);
  }

  /** Makes one call and tells whether it was let through. */
  async lets(given?: Given): Promise<boolean> {
    const running = this.begin(given);
    await settle();
    const { begun } = running;
    await running.succeed();
    return begun;
  }
}
