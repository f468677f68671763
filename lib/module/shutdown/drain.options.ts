import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { checkOptions, isPlainObject, nonNegativeMs, show } from '../../kernel/options/check.js';

/** How the work of an app that is to go is brought to its end. */
export interface DrainOptions {
  /**
   * How long everything goes on as before, while readiness says no already, ms: load balancers need seconds to hear of it.
   *
   * @default 5_000
   */
  delay?: number;
  /** How long accepted work may take after that before it is cut, ms. @default 20_000 */
  grace?: number;
}

/** Together they stay below the 30 s after which Kubernetes kills. */
export const DRAIN_DEFAULTS = { delay: 5_000, grace: 20_000 } as const satisfies DrainOptions;

/** @throws ResilienceConfigurationError */
export function resolveDrain(place: string, options: unknown): Required<DrainOptions> {
  if (options === undefined) return DRAIN_DEFAULTS;
  if (!isPlainObject(options))
    throw new ResilienceConfigurationError(place, `expected { delay, grace }, got ${show(options)}`);
  checkOptions<DrainOptions>(place, options, { delay: nonNegativeMs, grace: nonNegativeMs });
  const { delay, grace } = options as DrainOptions;
  return { delay: delay ?? DRAIN_DEFAULTS.delay, grace: grace ?? DRAIN_DEFAULTS.grace };
}
