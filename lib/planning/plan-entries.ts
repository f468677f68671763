import { Mistakes } from '../errors/configuration.error.js';
import { guardedLineage, guardedMethodOf, type GuardedClass } from '../guarded/guarded-classes.js';
import { isDecoratedItself, type AnyClass, type GuardedMethod } from '../guarded/guarded-method.js';
import { LIFECYCLE_HOOKS } from '../guarded/lifecycle-hooks.js';
import type { PlannedPolicy } from '../pipeline/plan-init.js';
import type { MethodKind, Returns } from '../kernel/method-kind.js';
import { kindOf } from '../policies/kinds.js';
import { nameOf } from '../guarded/class-names.js';
import { describeOptions } from './describe-options.js';
import type { AppPlans, Interception } from './app-plans.js';
import type { PlanWarning } from './lint/lint-plan.js';
import type { StateOwner } from './state-owners.js';

/**
 * How one method is guarded.
 *
 * @publicApi
 */
export interface PlanEntry {
  readonly className: string;
  readonly methodName: string;
  /** Outermost first. */
  readonly policies: readonly PlannedPolicy[];
  /**
   * What the method has turned out to give, where neither its code nor its type nor its set says so; `'pending'`: no call
   * of it has shown that yet. Undefined where it was known from the beginning.
   */
  readonly learned?: Returns | 'pending';
  /** The interceptor whose policies these are, which come before those of the method; undefined: the method's own. */
  readonly interceptor?: string;
  /** Why a decorator of the class left the method out, or why its calls pass unguarded; undefined where they do not. */
  readonly uncovered?: string;
  /** What is legal but wrong with them, as the log says at start; undefined: nothing that is looked for. */
  readonly warnings?: readonly PlanWarning[];
}

/** An entry, and what it is of. */
export interface PlannedEntry {
  readonly entry: PlanEntry;
  readonly type: AnyClass;
  /** What calls of it give, as far as that is known. */
  readonly kind: MethodKind;
}

/**
 * The plans of all methods of the app's guarded classes, one for each instance where each has state of its own, and those
 * of the interceptors on its handlers.
 *
 * @throws ResilienceConfigurationError for everything that is wrong.
 */
export function planEntries(app: AppPlans): PlanEntry[] {
  return plannedEntries(app).map(({ entry }) => entry);
}

/**
 * As {@link planEntries}, with what each is of.
 *
 * @throws ResilienceConfigurationError for everything that is wrong.
 */
export function plannedEntries(app: AppPlans): PlannedEntry[] {
  const mistakes = new Mistakes();
  app.ownState.findOwners();
  const ofMethods = app.guardedClasses().flatMap((type) => entriesOf(app, type, mistakes));
  const ofInterceptors = app.interceptions.flatMap((one) => interception(app, one, mistakes));
  mistakes.throwAny('ResilienceModule');
  return [...ofMethods, ...ofInterceptors];
}

function entriesOf(app: AppPlans, type: AnyClass, mistakes: Mistakes): PlannedEntry[] {
  const className = app.labelOf(type);
  const known = app.ownersOf(type);
  // Before an instance is known, what it will have is shown under the name that the first will get.
  const owners: readonly (StateOwner | undefined)[] = known.length > 0 ? known : [undefined];
  return guardedLineage(type).flatMap(([declaring, record]): PlannedEntry[] => [
    ...[...record.methods.values()]
      .filter((method) => guardedMethodOf(type, method.methodName) === method)
      .flatMap((method) =>
        owners.flatMap((owner) => mistakes.in(() => entryOf(app, method, type, className, owner)) ?? []),
      ),
    ...[...record.uncovered, ...inheritedBy(declaring, record)].map(([methodName, uncovered]) => ({
      entry: { className, methodName, policies: [], uncovered },
      type,
      kind: undefined,
    })),
  ]);
}

function interception(
  app: AppPlans,
  { type, methodName, interceptor }: Interception,
  mistakes: Mistakes,
): PlannedEntry[] {
  const plan = mistakes.in(() => interceptor.planFor(type, methodName));
  if (plan === undefined || plan.policies.length === 0) return [];
  const { name } = interceptor.constructor;
  const policies = plan.policies.map(copyOf);
  return [{ entry: { className: app.labelOf(type), methodName, policies, interceptor: name }, type, kind: plan.kind }];
}

const UNKNOWN = 'neither async nor declared as giving a promise or a stream; its first call shows what it gives';

/** How one method is guarded. */
export function entryOf(
  app: AppPlans,
  method: GuardedMethod,
  type: AnyClass,
  className: string,
  owner: StateOwner | undefined,
): PlannedEntry {
  const { policies, learns, kind } = app.plan(method, type, owner);
  const learned = app.kinds.kindOf(method, type) ?? (learns ? 'pending' : undefined);
  const idle = learned === 'pending' && !isDecoratedItself(method);
  const uncovered = app.kinds.uncoveredOf(method, type) ?? (idle ? UNKNOWN : undefined);
  const entry: PlanEntry = {
    className,
    methodName: method.methodName,
    policies: idle ? [] : policies.map(copyOf),
    ...(learned === undefined ? {} : { learned }),
    ...(uncovered === undefined ? {} : { uncovered }),
  };
  return { entry, type, kind };
}

/** The methods of base classes, which the decorators of `type` leave out: they may be written for other uses. */
function inheritedBy(type: AnyClass, { declared }: GuardedClass): [methodName: string, reason: string][] {
  if (declared.policies.length === 0 && declared.resilient === undefined) return [];
  const guarded = guardedLineage(type).flatMap(([, { methods }]) => [...methods.keys()]);
  const seen = new Set([...LIFECYCLE_HOOKS, ...guarded, ...Object.getOwnPropertyNames(type.prototype)]);
  const found: [string, string][] = [];
  for (
    let prototype = Object.getPrototypeOf(type.prototype) as object | null;
    prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    const base = prototype.constructor as AnyClass;
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (seen.has(name) || typeof value !== 'function') continue;
      seen.add(name);
      found.push([name, `inherited from ${nameOf(base)}: decorate it there, or override it`]);
    }
  }
  return found;
}

/** What is shown may be changed by whoever looks at it; what is in force may not. */
function copyOf({ policy, name, options, sources }: PlannedPolicy): PlannedPolicy {
  return { policy, name, options: describeOptions(options), sources: { ...sources } };
}

/** A plan as one line of the log. */
export function lineOf({ className, methodName, policies, interceptor }: PlanEntry): string {
  const steps = policies.map(({ policy, name, options, sources }) => {
    const named = name === `${className}.${methodName}` ? '' : ` '${name}'`;
    const ruled = Object.values(sources).includes('rule') ? ' (by rule)' : '';
    const off = options.enabled === false ? ' disabled' : '';
    return `${policy}${named}${kindOf(policy).describe?.(options) ?? ''}${off}${ruled}`;
  });
  const by = interceptor === undefined ? '' : ` by ${interceptor}`;
  return `${className}.${methodName}${by}: ${[...steps, interceptor === undefined ? 'method' : 'handler'].join(' > ')}`;
}
