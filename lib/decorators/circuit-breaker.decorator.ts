import type { CircuitBreakerConfig } from '../policies/circuit-breaker/circuit-breaker.options.js';
import { policyDecorator } from './guard.js';
import type { GuardDecorator } from './types.js';

/**
 * Stops calling a dependency that fails, gives it time, and tries again: calls are refused with
 * {@link CircuitOpenException} while the breaker is open.
 *
 * Without a name each method has a breaker of its own; methods that name one share it. A name alone takes its options
 * from `policies` or from another decorator. `false`: no breaker here, whatever the class or a set says.
 *
 * @example
 * @CircuitBreaker('payments', { errorThresholdPercentage: 30, resetTimeout: 5_000 })
 * charge(order: Order): Promise<Receipt> { ... }
 *
 * @publicApi
 */
export function CircuitBreaker(options?: CircuitBreakerConfig | false): GuardDecorator;
export function CircuitBreaker(name: string, options?: CircuitBreakerConfig): GuardDecorator;
export function CircuitBreaker(...args: unknown[]): GuardDecorator {
  return policyDecorator('circuitBreaker', '@CircuitBreaker()', args) as GuardDecorator;
}
