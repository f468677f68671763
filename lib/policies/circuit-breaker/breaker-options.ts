import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { aName, checkValue, expectedOf, isPlainObject, type Expectation } from '../../kernel/options/check.js';
import { ownEnvironment } from '../../kernel/own-environment.js';
import type { BreakerInit } from './breaker-init.js';
import { latenciesOf } from './breaker-stats.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  CIRCUIT_BREAKER_SHAPE,
  parseCircuitBreaker,
  type CircuitBreakerOptions,
  type ResolvedCircuitBreaker,
} from './circuit-breaker.options.js';

/**
 * The options of a breaker that is made by hand. It is one for all calls, so it has no keys and no scope.
 *
 * @publicApi
 */
export type BreakerOptions = Omit<CircuitBreakerOptions, 'key' | 'maxKeys' | 'scope'>;

const OF_MANY = ['key', 'maxKeys', 'scope'] as const;
const { key: _key, maxKeys: _maxKeys, scope: _scope, ...OF_ONE } = CIRCUIT_BREAKER_SHAPE;

/**
 * What a breaker is made of that belongs to no app.
 *
 * @throws ResilienceConfigurationError naming what is wrong, and what was expected.
 */
export function initOf(name: string, options: BreakerOptions): BreakerInit {
  refuseAction('new Breaker()', 'name', aName, name);
  checkValue('new Breaker()', 'name', name, aName);
  const place = `circuit breaker ${name}`;
  refuseAction(place, 'options', { expected: 'an options object', accepts: isPlainObject }, options);
  if (isPlainObject(options)) {
    const given: Record<string, unknown> = options;
    const ofMany = OF_MANY.find((option) => given[option] !== undefined);
    if (ofMany !== undefined) {
      const expected = 'expected none on a breaker made by hand, which is one for all calls: make one for each key';
      throw new ResilienceConfigurationError(place, `option '${ofMany}': ${expected}`);
    }
  }
  const given = Object.entries(parseCircuitBreaker(place, options, OF_ONE)).filter(([, value]) => value !== undefined);
  const resolved = { ...CIRCUIT_BREAKER_DEFAULTS, ...Object.fromEntries(given) } as ResolvedCircuitBreaker;
  return { name, options: resolved, latencies: latenciesOf(resolved), environment: ownEnvironment() };
}

/** opossum's breakers are made with their action. @throws ResilienceConfigurationError where one is given. */
function refuseAction(place: string, what: string, expectation: Expectation, value: unknown): void {
  if (typeof value !== 'function') return;
  const problem = `${what}: ${expectedOf(expectation, value)}; the action is given to fire(action, ...args)`;
  throw new ResilienceConfigurationError(place, problem);
}
