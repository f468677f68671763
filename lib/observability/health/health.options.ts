import { aName, checkOptions, type Expectation } from '../../kernel/options/check.js';

/**
 * What makes an app unhealthy, beside its shutdown.
 *
 * @publicApi
 */
export interface HealthOptions {
  /**
   * The names of circuit breakers without whose dependency the app is of no use to its callers: while one of them is open,
   * or forced open, the check says `down`. An open breaker that is not named is a detail.
   *
   * @default none
   */
  down?: readonly string[];
}

const names: Expectation = {
  expected: 'a list of names of circuit breakers',
  accepts: (value) => Array.isArray(value) && value.every((name) => aName.accepts(name)),
};

/** @throws ResilienceConfigurationError */
export function checkHealthOptions(place: string, options: unknown): asserts options is HealthOptions {
  checkOptions<HealthOptions>(place, options, { down: names });
}
