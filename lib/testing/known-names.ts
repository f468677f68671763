import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { show } from '../kernel/options/check.js';
import type { AppPlans } from '../planning/app-plans.js';
import { planEntries } from '../planning/plan-entries.js';

/** @throws ResilienceConfigurationError for a name that nothing of the app goes by. */
export function checkName(place: string, app: AppPlans, name: string): void {
  // Before the app has started, nobody knows its classes.
  if (app.classes.length === 0) return;
  const known = namesOf(app);
  if (known.has(name)) return;
  const list = [...known].sort().join(', ') || 'there are none';
  throw new ResilienceConfigurationError(
    place,
    `option 'target': nothing goes by the name ${show(name)}; expected one of: ${list}`,
  );
}

/** The names of methods, of policy sets and of what policies share. */
function namesOf(app: AppPlans): ReadonlySet<string> {
  const entries = planEntries(app);
  return new Set([
    ...entries
      .filter(({ policies, learned }) => policies.length > 0 || learned !== undefined)
      .map(({ className, methodName }) => `${className}.${methodName}`),
    ...entries.flatMap(({ policies }) => policies.map(({ name }) => name)),
    ...app.names,
  ]);
}
