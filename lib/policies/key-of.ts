import { ask, keyText } from './ask.js';
import type { PolicyEnvironment } from './policy.js';

/** The key that a user's function gives for the arguments of a call, as text; undefined: it has none. */
export function keyOf(
  environment: PolicyEnvironment,
  place: string,
  key: ((...args: unknown[]) => unknown) | undefined,
  args: readonly unknown[],
): string | undefined {
  return ask(environment, place, keyText, undefined, () => key?.(...args));
}
