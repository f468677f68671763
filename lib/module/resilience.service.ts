import { Inject, Injectable } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import type { ResilienceException } from '../errors/resilience.exception.js';
import type { ResilienceEvent } from '../events/resilience-event.js';
import type { Plan } from '../pipeline/plan.js';
import { show } from '../kernel/options/check.js';
import type { CallInfo } from '../kernel/call-info.js';
import { kindOf } from '../policies/kinds.js';
import type { PolicySet } from '../policies/policy-set.js';
import { offer } from './runtime/binding.js';
import { CircuitBreakerHandle } from './breaker-handle.js';
import { EventStream } from './event-stream.js';
import { BulkheadHandle } from './bulkhead-handle.js';
import type { InstanceReport } from '../read-model/instance-report.js';
import { RateLimitHandle } from './rate-limit-handle.js';
import { RetryBudgetHandle } from './retry-budget-handle.js';
import { lintedEntries } from '../planning/lint/lint-app.js';
import { planEntries, type PlanEntry } from '../planning/plan-entries.js';
import type { Runtime } from './runtime/runtime.js';
import { makeSetPlan } from '../planning/set-plan.js';
import { ResilienceRules } from './rules/resilience-rules.js';
import type { DrainOptions } from './shutdown/drain.options.js';
import { Drain } from './shutdown/drain.js';
import { SystemProtectionHandle } from './system-protection/system-protection-handle.js';
import { RUNTIME } from './tokens.js';

/** What {@link ResilienceService.execute} takes besides the work. */
export interface ExecuteOptions<T = unknown> {
  /** The caller's signal: its abort ends the call. */
  signal?: AbortSignal;
  /** The arguments that handlers, predicates and `key` see. */
  args?: readonly unknown[];
  /**
   * Answers when the policies turn the call away before it begins (the circuit is open, the bulkhead full, the rate used
   * up, its turn came too late), and nothing else. It belongs to the call, so it answers instead of the set's fallback,
   * and nothing but Recover mends what it throws.
   */
  onRefused?: (error: ResilienceException, call: CallInfo) => T | PromiseLike<T>;
}

/**
 * The policies of the app, for code that decorators do not reach, and for operators.
 *
 * @publicApi
 */
@Injectable()
export class ResilienceService {
  /**
   * Everything that the policies tell. Events are built only while somebody subscribes.
   *
   * A subscriber that throws, or whose promise rejects, is logged once a minute, stays subscribed, and hurts nobody else.
   * What is thrown behind a `pipe()` goes to the `error` of its own subscriber; without one rxjs reports it, which ends
   * the process.
   */
  readonly events$: Observable<ResilienceEvent>;
  readonly #runtime: Runtime;
  readonly #drain: Drain;

  constructor(
    @Inject(RUNTIME) runtime: unknown,
    /** Changes policies while the app runs. */
    readonly rules: ResilienceRules,
    @Inject(Drain) drain: Drain,
  ) {
    this.#drain = drain;
    this.#runtime = runtime as Runtime;
    this.events$ = new EventStream(this.#runtime.events, this.#runtime.environment);
  }

  /**
   * Runs any function under a policy set.
   *
   * @param set the name of a set in `policies`, or a set; one with stateful policies needs a `name`, and one with
   * `coalesce` is refused: each call brings work of its own, so no two calls can share an answer.
   * @throws (as a rejection) ResilienceConfigurationError for an unknown name or a wrong set.
   *
   * @example
   * const rates = await resilience.execute('rates', ({ signal }) => fetch(url, { signal }));
   */
  execute<T>(
    set: string | PolicySet,
    work: (call: CallInfo) => T | PromiseLike<T>,
    options: ExecuteOptions<T> = {},
  ): Promise<T> {
    try {
      if (typeof (work as unknown) !== 'function')
        throw new ResilienceConfigurationError(
          'ResilienceService.execute',
          `expected a function to run, got ${show(work)}`,
        );
      const { signal, args = [], onRefused } = options;
      const plan = this.#planOf(set);
      return plan.call(undefined, args, signal, { body: work, onRefused }) as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The breaker of a name, or of one of its keys.
   *
   * @throws ResilienceConfigurationError when there is none.
   */
  circuitBreaker(name: string, key?: string): CircuitBreakerHandle {
    const breaker = this.#runtime.instances.breaker(name, key) ?? this.#breakerNotYetMade(name, key);
    if (breaker !== undefined) return new CircuitBreakerHandle(breaker);
    const known = this.#runtime.instances.breakerNames().join(', ') || 'there are none';
    const what =
      key === undefined ? `circuit breaker '${name}'` : `circuit breaker '${name}' with a call for key ${show(key)}`;
    throw new ResilienceConfigurationError('ResilienceService.circuitBreaker', `no ${what}; expected one of: ${known}`);
  }

  /** Every breaker that there is, keys included. */
  circuitBreakers(): CircuitBreakerHandle[] {
    planEntries(this.#runtime.app);
    return this.#runtime.instances.breakers().map((breaker) => new CircuitBreakerHandle(breaker));
  }

  /** Every bulkhead that there is, with the limit in force. */
  bulkheads(): BulkheadHandle[] {
    planEntries(this.#runtime.app);
    return this.#runtime.instances.bulkheads().map((bulkhead) => new BulkheadHandle(bulkhead));
  }

  /** Every rate limit that there is. */
  rateLimits(): RateLimitHandle[] {
    planEntries(this.#runtime.app);
    const { instances, environment } = this.#runtime;
    return instances.rateLimiters().map((limiter) => new RateLimitHandle(limiter, environment.clock));
  }

  /** Every retry budget that there is. */
  retryBudgets(): RetryBudgetHandle[] {
    planEntries(this.#runtime.app);
    const { instances, environment } = this.#runtime;
    return instances.retryBudgets().map(([name, budget]) => new RetryBudgetHandle(name, budget, environment.clock));
  }

  /** Everything that goes by a name, what it guards and how it is now. */
  instances(): InstanceReport[] {
    return this.#runtime.readModel.instances();
  }

  /**
   * Brings the app's work to its end, before `app.close()`: readiness fails at once, service goes on for `delay`; then nothing
   * new is queued or tried again, clients with keep-alive are told to close, and accepted work may take `grace` before it is
   * cut. {@link drainOnSignals} calls it at SIGTERM.
   *
   * @param options what `forRoot({ shutdown })` says otherwise, ms.
   * @throws (as a rejection) ResilienceConfigurationError for wrong options.
   */
  async drain(options?: DrainOptions): Promise<void> {
    await this.#drain.run(options);
  }

  /** What sheds incoming requests; undefined where nothing does. */
  get systemProtection(): SystemProtectionHandle | undefined {
    const { ingress } = this.#runtime;
    return ingress === undefined ? undefined : new SystemProtectionHandle(ingress);
  }

  /**
   * For every decorated method its policies in the order in which they apply, with their options and where each came from,
   * and `warnings` of what is legal but wrong.
   */
  plan(): PlanEntry[] {
    return lintedEntries(this.#runtime.app);
  }

  /**
   * Puts an instance that Nest does not know (an object inside a provider's value, say) under the policies of this app.
   *
   * @returns the instance itself.
   */
  bind<T extends object>(instance: T): T {
    offer(instance, this.#runtime);
    return instance;
  }

  /** Before the start, and for sets that only `execute()` uses, nobody has asked for it yet. */
  #breakerNotYetMade(name: string, key?: string) {
    planEntries(this.#runtime.app);
    const planned = this.#runtime.instances.breaker(name, key);
    if (planned !== undefined) return planned;
    const entries = this.#runtime.app.sets.get(name)?.entries;
    if (entries?.get('circuitBreaker') === undefined) return undefined;
    // What nothing but methods can use is planned with theirs.
    if ([...entries].some(([policy, entry]) => entry !== false && kindOf(policy).methodsOnly !== undefined))
      return undefined;
    this.#planOf(name);
    return this.#runtime.instances.breaker(name, key);
  }

  #planOf(set: string | PolicySet): Plan {
    if (typeof set === 'object' && set !== null) return this.#runtime.app.plans.ofSet(set);
    return this.#runtime.app.plans.ofName(set, (planner) => makeSetPlan(planner, set));
  }
}
