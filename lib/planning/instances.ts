import { isDeepStrictEqual } from 'node:util';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import type { ResolvedBulkhead } from '../policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../policies/bulkhead/bulkhead.guard.js';
import type { Breaker } from '../policies/circuit-breaker/breaker.js';
import type { ControlWord } from '../policies/circuit-breaker/control.js';
import type { ResolvedCircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.options.js';
import { NamedBreakers } from '../policies/circuit-breaker/named-breakers.js';
import type { PolicyEnvironment } from '../kernel/policy.js';
import type { ResolvedRateLimit } from '../policies/rate-limit/rate-limit.options.js';
import { RateLimiter } from '../policies/rate-limit/rate-limiter.js';
import {
  refuseOtherBudget,
  RETRY_BUDGET_DEFAULTS,
  type DeclaredRetryBudget,
} from '../kernel/retry-budget/retry-budget.options.js';
import { RetryBudget } from '../kernel/retry-budget/retry-budget.js';
import { sameOptions } from './same-options.js';
import type { Options } from './policy-parsers.js';
import { lossWith, type Loss } from './instance-use.js';

/** The policies of an app that keep state: one for each name. */
export class Instances {
  readonly #breakers = new Map<string, NamedBreakers>();
  readonly #bulkheads = new Map<string, BulkheadGuard>();
  readonly #rateLimiters = new Map<string, RateLimiter>();
  readonly #budgets = new Map<string, { budget: RetryBudget; declared: DeclaredRetryBudget | undefined }>();

  constructor(private readonly environment: PolicyEnvironment) {}

  /**
   * @param rule what a rule says of it.
   * @throws ResilienceConfigurationError when the name has other options already.
   */
  circuitBreaker(name: string, options: ResolvedCircuitBreaker, rule?: ControlWord): NamedBreakers {
    const make = (): NamedBreakers => new NamedBreakers(name, options, this.environment, rule);
    return reuse('circuit breaker', this.#breakers, name, options, make);
  }

  /** @throws ResilienceConfigurationError when the name has other options already. */
  bulkhead(name: string, options: ResolvedBulkhead): BulkheadGuard {
    return reuse('bulkhead', this.#bulkheads, name, options, () => new BulkheadGuard(name, options, this.environment));
  }

  /** @throws ResilienceConfigurationError when the name has other options already. */
  rateLimiter(name: string, options: ResolvedRateLimit): RateLimiter {
    return reuse(
      'rate limit',
      this.#rateLimiters,
      name,
      options,
      () => new RateLimiter(name, options, this.environment),
    );
  }

  /**
   * The budget of a name. Whoever declares nothing takes what others declared, before or after.
   *
   * @throws ResilienceConfigurationError when the name has another definition already.
   */
  retryBudget(name: string, declared: DeclaredRetryBudget | undefined): RetryBudget {
    const known = this.#budgets.get(name);
    if (known === undefined) {
      const { clock } = this.environment;
      const budget = new RetryBudget(declared?.options ?? RETRY_BUDGET_DEFAULTS, clock.now());
      this.#budgets.set(name, { budget, declared });
      return budget;
    }
    if (declared === undefined) return known.budget;
    if (known.declared !== undefined) refuseOtherBudget(name, known.declared, declared);
    else {
      known.declared = declared;
      known.budget.configure(declared.options);
    }
    return known.budget;
  }

  /** Lets those that are here take on the options that those of the same name have in `wanted`; they keep their state. */
  reconfigure(wanted: Instances): void {
    follow(this.#breakers, wanted.#breakers);
    for (const [name, policy] of wanted.#breakers) this.#breakers.get(name)?.say('rule', policy.wordOf('rule'));
    follow(this.#bulkheads, wanted.#bulkheads);
    follow(this.#rateLimiters, wanted.#rateLimiters);
    for (const [name, { budget, declared }] of wanted.#budgets) {
      const known = this.#budgets.get(name);
      if (known === undefined) continue;
      known.declared = declared;
      if (!isDeepStrictEqual(known.budget.options, budget.options))
        known.budget.reconfigure(budget.options, this.environment.clock.now());
    }
  }

  /** What would be lost with the state of a name. */
  lossWith(name: string): Loss {
    const { clock } = this.environment;
    const limiter = this.#rateLimiters.get(name);
    return lossWith(this.#breakers.get(name), this.#bulkheads.get(name), limiter, clock.now());
  }

  /** Whether anything is known by a name. */
  has(name: string): boolean {
    return [this.#breakers, this.#bulkheads, this.#rateLimiters, this.#budgets].some((known) => known.has(name));
  }

  /** Forgets what is known by a name: nobody uses it any more. */
  release(name: string): void {
    const policy = this.#breakers.get(name);
    if (policy !== undefined) retire(policy);
    for (const known of [this.#breakers, this.#bulkheads, this.#rateLimiters, this.#budgets]) known.delete(name);
  }

  /** Forgets them all. */
  clear(): void {
    for (const policy of this.#breakers.values()) retire(policy);
    this.#breakers.clear();
    this.#bulkheads.clear();
    this.#rateLimiters.clear();
    this.#budgets.clear();
  }

  /** The breaker of a name, or of one of its keys. */
  breaker(name: string, key?: string): Breaker | undefined {
    return this.#breakers.get(name)?.breaker(key);
  }

  breakers(): Breaker[] {
    return [...this.#breakers.values()].flatMap((policy) => policy.breakers());
  }

  bulkheads(): BulkheadGuard[] {
    return [...this.#bulkheads.values()];
  }

  breakerNames(): string[] {
    return [...this.#breakers.keys()];
  }
}

function retire(policy: NamedBreakers): void {
  policy.breaker()?.core.retire();
  for (const breaker of policy.breakers()) breaker.core.retire();
}

function follow<O extends object>(
  known: ReadonlyMap<string, { options: O; reconfigure(options: O): void }>,
  wanted: ReadonlyMap<string, { options: O }>,
): void {
  for (const [name, { options }] of wanted) {
    const instance = known.get(name);
    if (instance !== undefined && !sameOptions(instance.options as Options, options as Options))
      instance.reconfigure(options);
  }
}

function reuse<T extends { options: object }>(
  what: string,
  known: Map<string, T>,
  name: string,
  options: object,
  create: () => T,
): T {
  const instance = known.get(name);
  if (instance === undefined) {
    const created = create();
    known.set(name, created);
    return created;
  }
  if (sameOptions(instance.options as Options, options as Options)) return instance;
  throw new ResilienceConfigurationError(
    `${what} '${name}'`,
    'has two definitions with different options; expected one for each name (a function is the same only if it is the very same one: make it once, and not at each call)',
  );
}
