import { guardedLineage } from '../../pipeline/guarded-classes.js';
import type { PlannedPolicy } from '../../pipeline/plan.js';
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
  /** Why a decorator of the class left the method out; undefined where it did not. */
  readonly uncovered?: string;
}

/** The plans of all methods of the app's guarded classes. @throws ResilienceConfigurationError */
export function planEntries(runtime: Runtime): PlanEntry[] {
  return runtime.classes.flatMap(({ type }) => {
    const className = runtime.labelOf(type);
    return guardedLineage(type).flatMap(([, record]): PlanEntry[] => [
      ...[...record.methods.values()]
        .filter((method) => guardedMethodOf(type, method.methodName) === method)
        .map((method) => ({
          className,
          methodName: method.methodName,
          policies: runtime.plan(method, type).policies.map(copyOf),
        })),
      ...[...record.uncovered].map(([methodName, uncovered]) => ({ className, methodName, policies: [], uncovered })),
    ]);
  });
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
