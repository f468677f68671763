import { STATEFUL } from '../policies/policy-set.js';
import {
  RETRY_BUDGET_DEFAULTS,
  type ResolvedRetryBudget,
  type RetryBudgetSetting,
} from '../kernel/retry-budget/retry-budget.options.js';
import { RetryBudget } from '../kernel/retry-budget/retry-budget.js';
import type { Clock } from '../kernel/clock.js';
import type { Instances } from './instances.js';
import type { Resolution, ResolvedPolicy } from './resolver.js';

/** Where those without a name find their budget: `'own'`, each its own; or one that the app's sets share. */
export type NamelessBudgets = 'own' | { of(options: ResolvedRetryBudget): RetryBudget };

/** Finds the budget of a target: one for all further attempts of a policy set, else of a breaker, else of a method. */
export class PlannedBudget {
  #own: RetryBudget | undefined;

  /** @param target `budgets` are those of whoever has no name under which one could be kept. */
  constructor(
    private readonly target: {
      readonly instanceName: string;
      readonly budgets?: NamelessBudgets | undefined;
      nameOfState?(name: string): string;
    },
    private readonly resolution: Resolution,
    private readonly instances: Instances,
    private readonly clock: Clock,
  ) {}

  /**
   * The budget of a retry or a hedge; undefined where it wants none.
   *
   * @throws ResilienceConfigurationError when others define the same budget otherwise.
   */
  for({ label, options, sources }: ResolvedPolicy): RetryBudget | undefined {
    const setting = options.budget as RetryBudgetSetting;
    if (setting === false) return undefined;
    const { instanceName, budgets } = this.target;
    const resolved = { ...RETRY_BUDGET_DEFAULTS, ...setting };
    const isDeclared = sources.budget !== 'built-in';
    const name = this.#name();
    if (name !== undefined || budgets === undefined) {
      const declared = isDeclared ? { place: `${instanceName}, ${label}`, options: resolved } : undefined;
      return this.instances.retryBudget(this.#nameOfState(name ?? instanceName), declared);
    }
    if (budgets !== 'own') return budgets.of(resolved);
    // A set without a name has one of its own, for its retries and hedges.
    if (this.#own === undefined) this.#own = new RetryBudget(resolved, this.clock.now());
    else if (isDeclared) this.#own.configure(resolved);
    return this.#own;
  }

  /** Where each instance has a breaker, a limit or a bulkhead of its own, it has a budget of its own as well. */
  #nameOfState(name: string): string {
    const { policies } = this.resolution;
    const isOwn = [...STATEFUL].some((key) => policies.get(key)?.options.scope === 'instance');
    return isOwn ? (this.target.nameOfState?.(name) ?? name) : name;
  }

  #name(): string | undefined {
    const { policies } = this.resolution;
    return policies.get('retry')?.name ?? policies.get('hedge')?.name ?? policies.get('circuitBreaker')?.name;
  }
}
