import type { AnyClass } from '../../guarded/guarded-method.js';
import { guardedMethodOf, idempotencyOf } from '../../guarded/guarded-classes.js';
import { methodOf } from '../../guarded/declaration-of.js';
import { parametersOf } from '../../guarded/parameters.js';
import type { PlannedPolicy } from '../../pipeline/plan-init.js';
import type { AppPlans } from '../app-plans.js';
import { plannedEntries, type PlanEntry, type PlannedEntry } from '../plan-entries.js';
import { lintPlan, type PlanWarning } from './lint-plan.js';
import type { LintSubject } from './lint-rule.js';

/** A warning, and where it belongs. */
export interface PlacedWarning extends PlanWarning {
  readonly place: string;
}

/** What `plan()` shows, with what is legal but wrong beside it. @throws ResilienceConfigurationError */
export function lintedEntries(app: AppPlans): PlanEntry[] {
  const all = plannedEntries(app);
  return all.map((one) => {
    const warnings = warningsOf(app, one, all);
    return warnings.length === 0 ? one.entry : { ...one.entry, warnings };
  });
}

/**
 * All that is legal but wrong with the plans in force and with the sets that no method uses: one warning for each place
 * and thing, however many of the policies there have it.
 *
 * @throws ResilienceConfigurationError
 */
export function lintApp(app: AppPlans): PlacedWarning[] {
  const all = plannedEntries(app);
  const ofMethods = all.flatMap((one) =>
    warningsOf(app, one, all).map((warning) => ({ ...warning, place: placeOf(one.entry) })),
  );
  const found = [...ofMethods, ...ofSets(app, all)];
  return [...new Map(found.map((one) => [`${one.code} ${one.place}`, one])).values()];
}

function warningsOf(app: AppPlans, one: PlannedEntry, all: readonly PlannedEntry[]): PlanWarning[] {
  const { entry, type } = one;
  if (entry.policies.length === 0) return [];
  const handler = app.handlerOf(type, entry.methodName);
  const subject: LintSubject = {
    place: placeOf(entry),
    policies: entry.policies,
    streams: mayStream(one, handler?.streams === true),
    handler,
    byInterceptor: entry.interceptor !== undefined,
    idempotent: idempotencyOf(type, entry.methodName) !== undefined,
    around: around(one, all),
    caller: app.lint.caller,
    siblings: (methodName) => policiesOf(all, type, methodName, ({ interceptor }) => interceptor === undefined),
    parameters: () => parameterNames(type, entry.methodName),
    parametersOf: (methodName) => parameterNames(type, methodName),
  };
  return lintPlan(subject, app.lint.off);
}

/** An interceptor sees an Observable whatever the handler gives; of a method that says nothing anything may come. */
function mayStream({ entry, kind }: PlannedEntry, handlerStreams: boolean): boolean {
  return entry.interceptor === undefined ? kind !== 'promise' && kind !== 'sync' : handlerStreams;
}

/** The interceptors before a method are listed in the order in which they run. */
function around({ entry, type }: PlannedEntry, all: readonly PlannedEntry[]): (readonly PlannedPolicy[])[] {
  const before =
    entry.interceptor === undefined
      ? all
      : all.slice(
          0,
          all.findIndex((one) => one.entry === entry),
        );
  return policiesOf(before, type, entry.methodName, ({ interceptor }) => interceptor !== undefined);
}

function policiesOf(
  all: readonly PlannedEntry[],
  type: AnyClass,
  methodName: string,
  isWanted: (entry: PlanEntry) => boolean,
): (readonly PlannedPolicy[])[] {
  return all
    .filter((one) => one.type === type && one.entry.methodName === methodName && isWanted(one.entry))
    .map(({ entry }) => entry.policies);
}

function parameterNames(type: AnyClass, methodName: string): readonly string[] | undefined {
  const method = guardedMethodOf(type, methodName)?.declared ?? methodOf(type, methodName);
  const written = method === undefined ? undefined : parametersOf(method);
  return typeof written !== 'object' || written.rest ? undefined : written.names;
}

/** Sets that code hands to `execute()` by their names: those of methods are looked at there. */
function ofSets(app: AppPlans, all: readonly PlannedEntry[]): PlacedWarning[] {
  const sources = new Set(
    all.flatMap(({ entry }) => entry.policies.flatMap((policy) => Object.values(policy.sources))),
  );
  return app.sets
    .names()
    .filter((name) => !sources.has(`policies.${name}`))
    .flatMap((name) => {
      const place = `policies.${name}`;
      return lintPlan(subjectOfSet(app, name, place), app.lint.off).map((warning) => ({ ...warning, place }));
    });
}

function subjectOfSet(app: AppPlans, name: string, place: string): LintSubject {
  return {
    place,
    policies: policiesOfSet(app, name),
    streams: false,
    handler: undefined,
    byInterceptor: false,
    idempotent: false,
    around: [],
    caller: app.lint.caller,
    siblings: () => [],
    parameters: () => undefined,
    parametersOf: () => undefined,
  };
}

function policiesOfSet(app: AppPlans, name: string): readonly PlannedPolicy[] {
  try {
    return app.planner.policiesOfSet(name);
  } catch {
    // Whoever uses it is told what is wrong.
    return [];
  }
}

function placeOf({ className, methodName }: PlanEntry): string {
  return `${className}.${methodName}`;
}
