import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { nameOf } from '../guarded/class-names.js';
import { guardedLineage, guardedMethodOf } from '../guarded/guarded-classes.js';
import type { AnyClass } from '../guarded/guarded-method.js';
import { methodOf } from '../guarded/declaration-of.js';
import { show } from '../kernel/options/check.js';
import type { AppPlans } from '../planning/app-plans.js';
import { isDerived, type MethodOfClass } from './method-of-class.js';

/** @throws ResilienceConfigurationError for what is no class, or none that the app guards. */
export function findClass(place: string, app: AppPlans, type: unknown): AnyClass {
  if (typeof type !== 'function' || typeof type.prototype !== 'object' || type.prototype === null)
    throw new ResilienceConfigurationError(place, `expected a class, got ${show(type)}`);
  const given = type as AnyClass;
  const known = [...app.guardedClasses(), ...app.interceptions.map((one) => one.type)];
  const isKnown = known.some((one) => isDerived(one, given));
  // Before the app has started, nobody knows its classes.
  if (isKnown || (app.classes.length === 0 && guardedLineage(given).length > 0)) return given;
  const names = [...new Set(known.map((one) => app.labelOf(one)))].sort().join(', ');
  throw new ResilienceConfigurationError(
    place,
    `${nameOf(given)} is no class with guarded methods of this app; expected one of: ${names || 'there are none'}`,
  );
}

/** @throws ResilienceConfigurationError naming the class, the method and what was expected. */
export function findMethod(place: string, app: AppPlans, type: unknown, name: unknown): MethodOfClass {
  const found = findClass(place, app, type);
  const guarded = [...new Set(guardedLineage(found).flatMap(([, { methods }]) => [...methods.keys()]))];
  const intercepted = app.interceptions.filter((one) => isDerived(one.type, found)).map(({ methodName }) => methodName);
  const names = [...new Set([...guarded, ...intercepted])].join(', ') || 'there are none';
  const label = nameOf(found);
  if (typeof name !== 'string' || methodOf(found, name) === undefined)
    throw new ResilienceConfigurationError(
      place,
      `${label} has no method ${show(name)}; expected one that is guarded: ${names}`,
    );
  const method = guardedMethodOf(found, name);
  if (method !== undefined || intercepted.includes(name)) return { type: found, name, method };
  const uncovered = guardedLineage(found).flatMap(([, record]) => record.uncovered.get(name) ?? [])[0];
  throw new ResilienceConfigurationError(
    place,
    `${label}.${name} is not guarded${uncovered === undefined ? '' : ` (${uncovered})`}: no decorator or interceptor of ours applies to it; expected one of: ${names}`,
  );
}
