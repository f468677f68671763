import type { AppPlans } from '../planning/app-plans.js';
import { lintedEntries } from '../planning/lint/lint-app.js';
import { entryOf, type PlanEntry } from '../planning/plan-entries.js';
import type { MethodOfClass } from './method-of-class.js';

/** How a method is guarded: by its decorators, or else by the interceptors before it. */
export function planOfMethod(app: AppPlans, { type, name, method }: MethodOfClass): PlanEntry {
  const label = app.labelOf(type);
  const own = lintedEntries(app).filter(({ className, methodName }) => className === label && methodName === name);
  const entry = own.find(({ interceptor }) => (interceptor === undefined) === (method !== undefined));
  if (entry !== undefined) return entry;
  // Before the app has started, and for a base class of which it has subclasses alone.
  if (method !== undefined) return entryOf(app, method, type, label, undefined).entry;
  return { className: label, methodName: name, policies: [] };
}
