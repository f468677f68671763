import type { Clock } from '../../kernel/clock.js';
import type { ResolvedRetryBudget } from '../../kernel/retry-budget/retry-budget.options.js';
import { RetryBudget } from '../../kernel/retry-budget/retry-budget.js';

/** More than this nobody writes; whoever comes after them shares the first. */
const MAX_BUDGETS = 100;

/** The budgets of an app for sets without a name: one for all of them that want the same of it. */
export class SharedBudgets {
  readonly #budgets = new Map<string, RetryBudget>();

  constructor(private readonly clock: Clock) {}

  of(options: ResolvedRetryBudget): RetryBudget {
    const { ratio, perSecond, min } = options;
    const wanted = `${ratio} ${perSecond} ${min}`;
    let budget = this.#budgets.get(wanted);
    if (budget === undefined && this.#budgets.size >= MAX_BUDGETS) [budget] = this.#budgets.values();
    if (budget === undefined) this.#budgets.set(wanted, (budget = new RetryBudget(options, this.clock.now())));
    return budget;
  }
}
