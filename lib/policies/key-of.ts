import { show } from './options/check.js';
import { ask, type PolicyEnvironment } from './policy.js';

/**
 * The key that a user's function gives for the arguments of a call, as text; undefined: it has none. What has no text of
 * its own, as an object, would make one key of all: it is reported, and the call has none.
 */
export function keyOf(
  environment: PolicyEnvironment,
  place: string,
  key: ((...args: unknown[]) => unknown) | undefined,
  args: readonly unknown[],
): string | undefined {
  const value = ask(environment, place, undefined, () => key?.(...args));
  if (value === undefined || typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  environment.reportCallback(place, new TypeError(`expected a string, got ${show(value)}`));
  return undefined;
}
