import { showByJson } from './show-by-json.js';
import type { Clock } from '../kernel/clock.js';
import type { RetryBudget } from '../kernel/retry-budget/retry-budget.js';

/**
 * One retry budget, to look at.
 *
 * @publicApi
 */
export class RetryBudgetHandle {
  static {
    showByJson(this);
  }

  readonly #budget: RetryBudget;
  readonly #clock: Clock;

  constructor(
    /** The name of the retry that it belongs to, or `Class.method`. */
    readonly name: string,
    budget: RetryBudget,
    clock: Clock,
  ) {
    this.#budget = budget;
    this.#clock = clock;
  }

  /** How many attempts it would pay for now; with fractions, since first attempts fill it by a part each. */
  get tokens(): number {
    return this.#budget.tokensAt(this.#clock.now());
  }

  /** What it shows, as plain data. */
  toJSON(): Pick<RetryBudgetHandle, 'name' | 'tokens'> {
    const { name, tokens } = this;
    return { name, tokens };
  }
}
