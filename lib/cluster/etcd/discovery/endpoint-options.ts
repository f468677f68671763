import type { PolicyEnvironment } from '../../../kernel/policy.js';
import { checkOptions, isPlainObject, type Expectation } from '../../../kernel/options/check.js';
import { ownEnvironment } from '../../../kernel/own-environment.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  parseCircuitBreaker,
  type CircuitBreakerOptions,
  type ResolvedCircuitBreaker,
} from '../../../policies/circuit-breaker/circuit-breaker.options.js';
import { anyOf } from '../../../policies/circuit-breaker/trip/any-of.js';
import { consecutiveFailures } from '../../../policies/circuit-breaker/trip/consecutive-failures.js';
import { failureRate } from '../../../policies/circuit-breaker/trip/failure-rate.js';

/**
 * How the endpoints of a service are called.
 *
 * @publicApi
 */
export interface EndpointOptions {
  /**
   * The breaker that each endpoint has of its own. It has no time limit: that of the call counts.
   *
   * @default opens after 5 failures in a row, or when half of at least 10 calls in 10 s have failed; for 5 s
   */
  breaker?: Omit<CircuitBreakerOptions, 'key' | 'maxKeys' | 'scope' | 'timeout' | 'group' | 'enabled' | 'mode'>;
}

const breaker: Expectation = { expected: 'options of a circuit breaker', accepts: isPlainObject };

/** The options of the breakers of a set. @throws ResilienceConfigurationError */
export function breakersOf(place: string, options: EndpointOptions): ResolvedCircuitBreaker {
  checkOptions<EndpointOptions>(place, options, { breaker });
  return {
    ...CIRCUIT_BREAKER_DEFAULTS,
    rollingPercentilesEnabled: false,
    trip: anyOf(consecutiveFailures(5), failureRate()),
    resetTimeout: 5_000,
    ...parseCircuitBreaker(`${place}, option 'breaker'`, options.breaker ?? {}),
    timeout: false,
    key: (endpoint: string) => endpoint,
  };
}

let environment: PolicyEnvironment | undefined;

/** The surroundings of sets that belong to no app. */
export function sharedEnvironment(): PolicyEnvironment {
  return (environment ??= ownEnvironment());
}
