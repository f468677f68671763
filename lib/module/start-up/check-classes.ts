import type { Mistakes } from '../../errors/configuration.error.js';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { guardedLineage, guardedMethodOf } from '../../guarded/guarded-classes.js';
import type { AnyClass, AnyFunction } from '../../guarded/guarded-method.js';
import { methodOf } from '../../guarded/declaration-of.js';
import { withoutComments } from '../../guarded/parameters.js';
import { CarefulLogger } from '../event-log/careful-logger.js';
import { nameOf } from '../../guarded/class-names.js';
import type { AppPlans } from '../../planning/app-plans.js';

/** Finds everything that decorators said wrong, before the first call does. */
export function checkClasses(app: AppPlans, mistakes: Mistakes): void {
  for (const type of app.classes) {
    for (const [declaring, { methods, signals, signalled, declared }] of guardedLineage(type)) {
      for (const fault of declared.faults) mistakes.add(new ResilienceConfigurationError(nameOf(declaring), fault));
      for (const methodName of signals.keys()) {
        if (!methods.has(methodName) && !signalled.has(methodName)) mistakes.add(idleSignal(declaring, methodName));
      }
      for (const method of methods.values()) {
        // What is wrong with a class would be told for each of its methods again.
        if (method.coveredByClass && declared.faults.length > 0) continue;
        const inForce = guardedMethodOf(type, method.methodName);
        if (inForce === method) {
          mistakes.in(() => app.plan(method, type));
          mistakes.in(() => app.planner.refuseRings(method, type));
        } else if (inForce === undefined) warnOfDroppedDecorators(type, declaring, method.methodName);
      }
    }
    mistakes.in(() => app.ownState.refusePerCall(type));
  }
}

function idleSignal(type: AnyClass, methodName: string): ResilienceConfigurationError {
  return new ResilienceConfigurationError(
    `${nameOf(type)}.${methodName}, @Signal`,
    'no policy guards the method, so there is no signal; expected a decorator such as @Timeout on it',
  );
}

function warnOfDroppedDecorators(type: AnyClass, base: AnyClass, methodName: string): void {
  const method = methodOf(type, methodName);
  const callsBase = method !== undefined && namesSuper(method, methodName);
  const place = `${nameOf(type)}.${methodName}`;
  const what = callsBase
    ? `only what super.${methodName}() does is guarded, as '${place} (${nameOf(base)})', and not what else it does`
    : 'calls of it are not guarded';
  new CarefulLogger().write('warn', `${place} overrides ${nameOf(base)}.${methodName} without its decorators: ${what}`);
}

/** Whether a method speaks of the one that it overrides, in code and not in a comment. */
function namesSuper(method: AnyFunction, methodName: string): boolean {
  const after = withoutComments(String(method)).split(`super.${methodName}`).slice(1);
  return after.some((rest) => !/^[\w$]/.test(rest));
}
