import { guardedLineage, type GuardedClass } from '../../pipeline/guarded-classes.js';
import { isDecoratedItself, type AnyClass, type GuardedMethod } from '../../pipeline/guarded-method.js';
import { LIFECYCLE_HOOKS } from '../../pipeline/lifecycle-hooks.js';
import type { PlannedPolicy } from '../../pipeline/plan.js';
import type { Returns } from '../../policies/policy-set.js';
import { nameOf } from '../runtime/class-names.js';
import { describeOptions } from './describe-options.js';
import { guardedMethodOf, type Runtime } from '../runtime/runtime.js';

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
  /** Why a decorator of the class left the method out, or why its calls pass unguarded; undefined where they do not. */
  readonly uncovered?: string;
}

/** The plans of all methods of the app's guarded classes. @throws ResilienceConfigurationError */
export function planEntries(runtime: Runtime): PlanEntry[] {
  return runtime.classes.flatMap(({ type }) => {
    const className = runtime.labelOf(type);
    return guardedLineage(type).flatMap(([declaring, record]): PlanEntry[] => [
      ...[...record.methods.values()]
        .filter((method) => guardedMethodOf(type, method.methodName) === method)
        .map((method) => entryOf(runtime, method, type, className)),
      ...[...record.uncovered].map(([methodName, uncovered]) => ({ className, methodName, policies: [], uncovered })),
      ...inheritedBy(declaring, record).map(([methodName, uncovered]) => ({
        className,
        methodName,
        policies: [],
        uncovered,
      })),
    ]);
  });
}

const UNKNOWN = 'neither async nor declared as giving a promise or a stream; its first call shows what it gives';

function entryOf(runtime: Runtime, method: GuardedMethod, type: AnyClass, className: string): PlanEntry {
  const { policies, learns } = runtime.plan(method, type);
  const learned = runtime.kinds.kindOf(method, type) ?? (learns ? 'pending' : undefined);
  const idle = learned === 'pending' && !isDecoratedItself(method);
  const uncovered = runtime.kinds.uncoveredOf(method, type) ?? (idle ? UNKNOWN : undefined);
  return {
    className,
    methodName: method.methodName,
    policies: idle ? [] : policies.map(copyOf),
    ...(learned === undefined ? {} : { learned }),
    ...(uncovered === undefined ? {} : { uncovered }),
  };
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
export function lineOf({ className, methodName, policies }: PlanEntry): string {
  const steps = policies.map(({ policy, name, options }) => {
    const named = name === `${className}.${methodName}` ? '' : ` '${name}'`;
    const limit =
      policy === 'timeout'
        ? ` ${Object.entries(options)
            .map(([key, ms]) => `${key} ${String(ms)} ms`)
            .join(', ')}`
        : '';
    return `${policy}${named}${limit}`;
  });
  return `${className}.${methodName}: ${[...steps, 'method'].join(' > ')}`;
}
