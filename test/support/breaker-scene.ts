import type { CallOrigin, PipelineCall } from '../../lib/pipeline/call.js';
import type { Breaker } from '../../lib/policies/circuit-breaker/breaker.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { CircuitBreakerPolicy } from '../../lib/policies/circuit-breaker/circuit-breaker.policy.js';
import { AttemptTimeoutPolicy } from '../../lib/policies/timeout/attempt-timeout.policy.js';
import { ManualWork, newCall } from './calls.js';
import { settle, track, type Tracked } from './settle.js';
import { TestEnvironment } from './test-environment.js';

/** A call under the breaker, whose end the test decides. */
export interface RunningCall {
  readonly call: PipelineCall;
  readonly result: Tracked;
  /** Whether the method has begun. */
  readonly begun: boolean;
  succeed(value?: unknown): Promise<void>;
  fail(error?: unknown): Promise<void>;
}

/** A breaker named `payments` and the calls under it. Chance is 0: open times are not lengthened. */
export class BreakerScene {
  readonly policy: CircuitBreakerPolicy;

  constructor(
    options: CircuitBreakerOptions = {},
    readonly environment = new TestEnvironment(),
  ) {
    environment.chances = [0];
    this.policy = new CircuitBreakerPolicy('payments', { ...CIRCUIT_BREAKER_DEFAULTS, ...options }, environment);
  }

  get clock() {
    return this.environment.clock;
  }

  get breaker(): Breaker {
    return this.policy.breaker() as Breaker;
  }

  get state() {
    return this.breaker.state;
  }

  get stats() {
    return this.breaker.stats;
  }

  /** Begins a call, under a limit of `perAttempt` ms where one is given. */
  begin(origin: Partial<CallOrigin> = {}, perAttempt?: number): RunningCall {
    const call = newCall(this.environment, origin);
    call.attach();
    const work = new ManualWork();
    const timeout = new AttemptTimeoutPolicy('payments', perAttempt, this.environment);
    const result = track(this.policy.execute(call, (inner) => timeout.execute(inner, work.next)));
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
  async succeed(count = 1, ms = 0, origin?: Partial<CallOrigin>): Promise<void> {
    const calls = Array.from({ length: count }, () => this.begin(origin));
    this.clock.block(ms);
    for (const call of calls) await call.succeed('value');
  }

  /** Makes `count` calls that fail. */
  async fail(count = 1, error: unknown = new Error('boom'), origin?: Partial<CallOrigin>): Promise<void> {
    for (let index = 0; index < count; index++) await this.begin(origin).fail(error);
  }

  /** Makes one call and tells whether it was let through. */
  async lets(origin?: Partial<CallOrigin>): Promise<boolean> {
    const running = this.begin(origin);
    await settle();
    const { begun } = running;
    await running.succeed();
    return begun;
  }
}
