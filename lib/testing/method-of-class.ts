import { guardedMethodOf } from '../guarded/guarded-classes.js';
import type { AnyClass, GuardedMethod } from '../guarded/guarded-method.js';
import type { AppPlans } from '../planning/app-plans.js';
import type { Target } from '../planning/target.js';
import type { Meets } from './fault.js';

/** A method that policies guard. */
export interface MethodOfClass {
  readonly type: AnyClass;
  readonly name: string;
  /** undefined: only interceptors of ours stand before it. */
  readonly method: GuardedMethod | undefined;
}

/** Whether a class is another one, or derived from it. */
export function isDerived(concrete: AnyClass, type: AnyClass): boolean {
  return (
    concrete === type || Object.prototype.isPrototypeOf.call(type.prototype as object, concrete.prototype as object)
  );
}

/** Meets the methods of a class, or of one that is derived from it, or one of them. */
export function meetsMethods(app: AppPlans, type: AnyClass, name?: string): Meets {
  return (target) =>
    target.concrete !== undefined &&
    isDerived(target.concrete, type) &&
    (name === undefined || target.methodName === name) &&
    isInnermost(app, target);
}

/** Several interceptors and decorators may stand before one method, each with a plan: all of them are to see what it does. */
function isInnermost(app: AppPlans, { guarded, concrete, methodName, interceptor }: Target): boolean {
  if (guarded !== undefined || concrete === undefined) return true;
  if (guardedMethodOf(concrete, methodName) !== undefined) return false;
  const last = app.interceptions.findLast(
    (one) =>
      one.type === concrete &&
      one.methodName === methodName &&
      (one.interceptor === interceptor || one.interceptor.planFor(concrete, methodName).policies.length > 0),
  );
  return last === undefined || last.interceptor === interceptor;
}
