import type { PolicyEnvironment } from '../policies/policy.js';
import type { ResolvedBulkhead } from '../policies/bulkhead/bulkhead.options.js';
import { BulkheadPolicy } from '../policies/bulkhead/bulkhead.policy.js';
import type { Breaker } from '../policies/circuit-breaker/breaker.js';
import type { ResolvedCircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.options.js';
import { CircuitBreakerPolicy } from '../policies/circuit-breaker/circuit-breaker.policy.js';

/** The policies of an app that keep state: one for each name. */
export class Instances {
  readonly #breakers = new Map<string, CircuitBreakerPolicy>();
  readonly #bulkheads = new Map<string, BulkheadPolicy>();

  constructor(private readonly environment: PolicyEnvironment) {}

  circuitBreaker(name: string, options: ResolvedCircuitBreaker): CircuitBreakerPolicy {
    return reuse(this.#breakers, name, () => new CircuitBreakerPolicy(name, options, this.environment));
  }

  bulkhead(name: string, options: ResolvedBulkhead): BulkheadPolicy {
    return reuse(this.#bulkheads, name, () => new BulkheadPolicy(name, options, this.environment));
  }

  /** The breaker of a name, or of one of its keys. */
  breaker(name: string, key?: string): Breaker | undefined {
    return this.#breakers.get(name)?.breaker(key);
  }

  breakers(): Breaker[] {
    return [...this.#breakers.values()].flatMap((policy) => policy.breakers());
  }

  breakerNames(): string[] {
    return [...this.#breakers.keys()];
  }
}

function reuse<T>(known: Map<string, T>, name: string, create: () => T): T {
  let instance = known.get(name);
  if (instance === undefined) known.set(name, (instance = create()));
  return instance;
}
