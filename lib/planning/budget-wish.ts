import type { Options } from '../kernel/options/options.js';
import {
  RETRY_BUDGET_DEFAULTS,
  type DeclaredRetryBudget,
  type ResolvedRetryBudget,
  type RetryBudgetSetting,
} from '../kernel/retry-budget/retry-budget.options.js';
import { isStateful, KINDS, type AnyKind } from '../policies/kinds.js';
import type { Resolution, ResolvedPolicy } from './resolution.js';
import type { PlannedTarget } from './target.js';

/** The budget that a retry or a hedge draws from. */
export interface BudgetWish {
  /** Under which the app keeps it; undefined: it has no name. */
  readonly name: string | undefined;
  /** What was declared of it, and where; undefined: nothing. */
  readonly declared: DeclaredRetryBudget | undefined;
  readonly options: ResolvedRetryBudget;
}

const takers: readonly AnyKind[] = (KINDS as readonly AnyKind[]).filter(({ budget }) => budget === 'takes');
const namers: readonly AnyKind[] = (KINDS as readonly AnyKind[]).filter(({ budget }) => budget === 'names');

/** One budget for all further attempts of a policy set, else of a breaker, else of a method; undefined: none is wanted. */
export function budgetWish(
  target: PlannedTarget,
  resolution: Resolution,
  { label, options, sources }: ResolvedPolicy,
): BudgetWish | undefined {
  const setting = options.budget as RetryBudgetSetting;
  if (setting === false) return undefined;
  const wanted = { ...RETRY_BUDGET_DEFAULTS, ...setting };
  const isDeclared = sources.budget !== 'built-in';
  const { policies } = resolution;
  const given = [...takers, ...namers].map(({ key }) => policies.get(key)?.name).find((name) => name !== undefined);
  const isNameless = given === undefined && target.budgets !== undefined;
  return {
    name: isNameless ? undefined : nameOfState(given ?? target.instanceName, target, resolution),
    declared: isDeclared ? { place: `${target.instanceName}, ${label}`, options: wanted } : undefined,
    options: wanted,
  };
}

/** Where each instance has a breaker, a limit or a bulkhead of its own, it has a budget of its own as well. */
function nameOfState(name: string, target: PlannedTarget, { policies }: Resolution): string {
  const isOwn = [...policies.values()].some(({ key, options }) => ownsState(key, options));
  return isOwn ? (target.nameOfState?.(name) ?? name) : name;
}

function ownsState(key: ResolvedPolicy['key'], options: Options): boolean {
  return isStateful(key) && options.scope === 'instance';
}
