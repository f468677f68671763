import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { aFunction, checkOptions, oneOf, show } from '../../kernel/options/check.js';

/**
 * Which calls share one execution.
 *
 * @publicApi
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are those of the guarded method
export interface CoalesceOptions<A extends unknown[] = any[]> {
  /**
   * Calls for which it gives the same run once, while that run lasts; undefined: this call runs alone. Whatever decides
   * the answer must be in it. Numbers count by their text; where it throws or gives an object, the call runs alone.
   */
  key?: (...args: A) => string | number | undefined;
  /**
   * `'instance'`: only calls of one and the same object, so that request-scoped providers never share an answer.
   * `'class'`: calls of all instances of the class; then the key must also hold what differs between them, as the user.
   * @default 'instance'
   */
  scope?: 'instance' | 'class';
}

/** What a policy set takes as a single flight. */
export type CoalesceSetting = CoalesceOptions;

export type ResolvedCoalesce = Required<CoalesceOptions>;

export const COALESCE_DEFAULTS = { scope: 'instance' } as const satisfies CoalesceOptions;

/** @throws ResilienceConfigurationError */
export function parseCoalesce(place: string, setting: unknown): CoalesceOptions {
  checkOptions<CoalesceOptions>(place, setting, { key: aFunction, scope: oneOf('instance', 'class') });
  return setting;
}

/** @throws ResilienceConfigurationError when nothing says which calls are equal. */
export function resolveCoalesce(place: string, options: CoalesceOptions): ResolvedCoalesce {
  if (options.key === undefined) {
    throw new ResilienceConfigurationError(
      place,
      `nothing says which calls are equal: expected option 'key' here, in the named policy set, or in policies.default.coalesce; got ${show(undefined)}`,
    );
  }
  return options as ResolvedCoalesce;
}
