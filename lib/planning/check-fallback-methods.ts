import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import type { AnyClass } from '../guarded/guarded-method.js';
import { declarationOf } from '../guarded/declaration-of.js';
import { namedAnswersIn } from './named-answers.js';
import type { Resolution } from './resolution.js';

/**
 * A method that a fallback names must exist: in production is too late to find out.
 *
 * @param owner the class of the method that is guarded; undefined where there is none that could have the method.
 * @param parameterCount how many parameters the guarded method has; undefined: nobody knows where the error is to go.
 * @throws ResilienceConfigurationError
 */
export function checkFallbackMethods(
  place: string,
  resolution: Resolution,
  owner: AnyClass | undefined,
  parameterCount?: number,
): void {
  // What would answer first is told first.
  for (const { label, methodName } of namedAnswersIn(resolution))
    checkMethod(place, label, methodName, owner, parameterCount);
}

function checkMethod(
  place: string,
  label: string,
  use: string,
  owner: AnyClass | undefined,
  parameterCount: number | undefined,
): void {
  if (owner === undefined) {
    throw new ResilienceConfigurationError(
      `${place}, ${label}`,
      `expected a handler or a value, got the method name '${use}'`,
    );
  }
  const property = declarationOf(owner, use)?.property;
  // What an accessor gives is known when it is asked.
  if (property?.get === undefined && typeof property?.value !== 'function')
    throw new ResilienceConfigurationError(
      `${place}, ${label}`,
      `no method '${use}'; expected the name of a method of ${owner.name}`,
    );
  if (parameterCount === undefined)
    throw new ResilienceConfigurationError(
      `${place}, ${label}`,
      `'${use}' is called with the arguments and then the error, and ${place} has a rest parameter, or no decorator ` +
        "metadata that say how many parameters it has: expected a handler, as (error, call) => ..., got a method's name",
    );
}
