import { RETRY_BUDGET_DEFAULTS, type RetryBudgetSetting } from '../../policies/retry-budget/retry-budget.options.js';
import { RetryBudget } from '../../policies/retry-budget/retry-budget.js';
import type { Clock } from '../../policies/clock.js';
import type { Instances } from '../runtime/instances.js';
import type { Resolution, ResolvedPolicy } from './resolver.js';

/** Finds the budget of a target: one for all further attempts of a policy set, else of a breaker, else of a method. */
export class PlannedBudget {
  #own: RetryBudget | undefined;

  constructor(
    private readonly target: { readonly instanceName: string; readonly nameless?: boolean },
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
    const { instanceName, nameless } = this.target;
    const resolved = { ...RETRY_BUDGET_DEFAULTS, ...setting };
    const isDeclared = sources.budget !== 'built-in';
    const name = this.#name();
    if (name !== undefined || nameless !== true) {
      const declared = isDeclared ? { place: `${instanceName}, ${label}`, options: resolved } : undefined;
      return this.instances.retryBudget(name ?? instanceName, declared);
    }
    // A set without a name has one of its own, for its retries and hedges.
    if (this.#own === undefined) this.#own = new RetryBudget(resolved, this.clock.now());
    else if (isDeclared) this.#own.configure(resolved);
    return this.#own;
  }

  #name(): string | undefined {
    const { policies } = this.resolution;
    return policies.get('retry')?.name ?? policies.get('hedge')?.name ?? policies.get('circuitBreaker')?.name;
  }
}
