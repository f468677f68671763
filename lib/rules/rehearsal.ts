import { oneOfThese } from '../errors/near-miss.js';
import { isDeepStrictEqual } from 'node:util';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { instanceOf } from '../errors/foreign.js';
import type { RuleFault } from '../errors/rule-set.error.js';
import type { Plan } from '../pipeline/plan.js';
import { textOf } from '../kernel/error-text.js';
import { show } from '../kernel/options/check.js';
import type { AppPlans } from '../planning/app-plans.js';
import type { PlanInUse } from '../planning/cache/plan-cache.js';
import { planEntries } from '../planning/plan-entries.js';
import type { Planner } from '../planning/planner.js';
import { makeSetPlan } from '../planning/set-plan.js';
import type { Rule } from '../kernel/ruling.js';
import type { Instances } from '../planning/instances.js';
import { faultsOf } from './read-rules.js';
import type { RulesByName, RuleSet } from './rule-set.js';

/** What an app would be under other rules. */
export interface Outlook {
  readonly faults: readonly RuleFault[];
  /** The plans that would be others. */
  readonly changed: readonly PlanInUse[];
  /** What keeps state, with the options that it would have. */
  readonly instances: Instances;
}

/**
 * Makes every plan of the app as it would be under `rules`, beside those in use.
 *
 * @param whole whether `rules` are all that their document says; else some that are wrong are missing.
 */
export function rehearse(app: AppPlans, rules: RuleSet, whole = true): Outlook {
  // Whoever has not been called yet has no plan yet.
  planEntries(app);
  const inUse = [...app.plans.inUse()];
  const [names, methods] = [app.names, methodsOf(inUse)];
  const faults = [
    ...unknownNames('policies', rules.byName, names, 'name of a policy set'),
    ...unknownNames('methods', rules.byMethod, methods, 'guarded method'),
  ];
  const { planner, instances } = app.rehearsal(rules);
  const all: readonly Omit<PlanInUse, 'forget'>[] = [...inUse, ...setsOf(app, rules)];
  const made = makeAll(planner, all, rules);
  const broken = made.filter(({ error }) => error !== undefined);
  if (broken.length > 0) {
    // What cannot be planned without these rules either is no fault of theirs.
    const before = makeAll(app.rehearsal(app.planner.rules).planner, all);
    for (const [index, { error, touched }] of made.entries()) {
      if (error !== undefined && before[index]?.error === undefined)
        faults.push(...mistakesIn(error).flatMap((one) => blame(rules, touched, one)));
    }
  }
  // A plan that broke, or a rule that could not be read, may be what another rule would have reached.
  else if (whole) {
    const known = (rule: Rule): boolean => !faults.some(({ path }) => rule.path.startsWith(`${path}.`));
    faults.push(...idleRules(rules.idle.filter(known)));
  }
  const changed = inUse.filter(({ plan }, index) => !samePlan(plan, made[index]?.plan));
  return { faults: distinct(faults), changed, instances };
}

function mistakesIn(error: unknown): readonly unknown[] {
  return instanceOf(error, ResilienceConfigurationError) ? error.mistakes : [error];
}

interface Made {
  readonly plan?: Plan;
  readonly error?: unknown;
  /** The rules that it met on the way. */
  readonly touched: readonly string[];
}

/** @param rules those of the planner, where it is to be known which of them each plan meets. */
function makeAll(planner: Planner, all: readonly Pick<PlanInUse, 'make'>[], rules?: RuleSet): Made[] {
  return all.map(({ make }): Made => {
    rules?.takeRecent();
    try {
      return { plan: make(planner), touched: [] };
    } catch (error) {
      return { error: error ?? 'failed', touched: (rules?.takeRecent() ?? []).map(({ path }) => path) };
    }
  });
}

/** The sets that rules speak of, although nobody has used them as a whole yet. */
function setsOf(app: AppPlans, { byName }: RuleSet): Pick<PlanInUse, 'make' | 'plan'>[] {
  return [...byName.keys()]
    .filter((name) => app.sets.get(name) !== undefined)
    .map((name) => ({ plan: undefined as unknown as Plan, make: (planner) => makeSetPlan(planner, name) }));
}

function methodsOf(inUse: readonly PlanInUse[]): string[] {
  const guarded = inUse.filter(({ plan }) => plan.className !== '');
  return [...new Set(guarded.map(({ plan }) => `${plan.className}.${plan.methodName}`))];
}

function unknownNames(section: string, rules: RulesByName, known: readonly string[], what: string): RuleFault[] {
  return [...rules.keys()]
    .filter((name) => !known.includes(name))
    .map((name) => ({
      path: `${section}.${name}`,
      message: `unknown ${what}; ${oneOfThese(name, known)}`,
      value: name,
    }));
}

function idleRules(idle: readonly Rule[]): RuleFault[] {
  return idle.map(({ path, options }) => ({
    path,
    message: `it would reach nothing: nobody takes this policy by that name, or the method is exempt; got ${show(options)}`,
    value: options,
  }));
}

/** Lays an error at the rule that brought it about. */
function blame(rules: RuleSet, touched: readonly string[], error: unknown): RuleFault[] {
  const text = textOf(error);
  const path = touched.find((one) => text.includes(one)) ?? touched[0] ?? 'document';
  const option = /option '(\w+)'/.exec(text)?.[1];
  const value = option === undefined ? undefined : rules.at(`${path}.${option}`);
  return faultsOf(value === undefined ? path : `${path}.${option}`, value, error);
}

function distinct(faults: readonly RuleFault[]): RuleFault[] {
  return [...new Map(faults.map((fault) => [`${fault.path} ${fault.message}`, fault])).values()];
}

function samePlan(one: Plan, other: Plan | undefined): boolean {
  return isDeepStrictEqual(one.policies, other?.policies);
}
