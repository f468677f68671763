import { isPlainObject } from '../../../kernel/options/check.js';
import type { PlannedPolicy } from '../../../pipeline/plan-init.js';
import type { AppPlans } from '../../../planning/app-plans.js';
import { describeOptions } from '../../../planning/describe-options.js';
import { NO_RULES } from '../../../planning/rule-layer.js';
import type { RuleDocument } from '../../../rules/rule-document.js';
import type { RuleView } from '../protocol.js';
import { textOf } from './plan-view.js';

/** What a document says of a name, and of the methods that it guards: one line an option. */
export function ruleLinesOf(name: string, document: RuleDocument | undefined, app: AppPlans): RuleView[] {
  if (document === undefined) return [];
  const plans = plansWithoutRules(name, app);
  const ofName = new Subject(
    `policies.${name}`,
    [...plans.values()].flat().filter((policy) => policy.name === name),
  );
  const ofMethods = [...plans].map(
    ([method, policies]) => [method, new Subject(`methods.${method}`, policies)] as const,
  );
  return [
    ...ofName.lines(document.policies?.[name]),
    ...ofMethods.flatMap(([method, subject]) => subject.lines(document.methods?.[method])),
  ];
}

/** The plans in which a name takes part as they would be without any rules, by method. */
function plansWithoutRules(name: string, app: AppPlans): Map<string, readonly PlannedPolicy[]> {
  const { planner } = app.rehearsal(NO_RULES);
  const plans = new Map<string, readonly PlannedPolicy[]>();
  for (const inUse of app.plans.inUse()) {
    const { plan } = inUse;
    if (!plan.policies.some((policy) => policy.name === name)) continue;
    try {
      plans.set(`${plan.className}.${plan.methodName}`, inUse.make(planner).policies);
    } catch {
      // It can only be planned with the rules: what holds without them is not known.
    }
  }
  return plans;
}

/** Of what a part of a document speaks. */
class Subject {
  constructor(
    private readonly path: string,
    /** The policies that the rules change. */
    private readonly policies: readonly PlannedPolicy[],
  ) {}

  lines(said: unknown): RuleView[] {
    if (!isPlainObject(said)) return [];
    return Object.entries(said).flatMap(([policy, value]) => {
      const planned = this.policies.find((one) => one.policy === policy);
      return this.#linesAt([policy], value, planned && describeOptions(planned.options));
    });
  }

  #linesAt(at: readonly string[], said: unknown, before: unknown): RuleView[] {
    if (said === undefined) return [];
    if (isPlainObject(said) && Object.keys(said).length > 0)
      return Object.entries(said).flatMap(([key, value]) =>
        this.#linesAt([...at, key], value, isPlainObject(before) ? before[key] : undefined),
      );
    const option = at.at(-1) as string;
    return [
      {
        path: [this.path, ...at].join('.'),
        value: textOf(option, said),
        before: before === undefined ? null : textOf(option, before),
      },
    ];
  }
}
