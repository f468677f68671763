import { Injectable, type NestInterceptor, type Type } from '@nestjs/common';
import type { CircuitBreakerConfig } from '../../policies/circuit-breaker/circuit-breaker.options.js';
import { derive, onePolicy, PolicyInterceptor } from './policy.interceptor.js';

/**
 * A circuit breaker for each handler, or one shared by its name.
 *
 * @example
 * @UseInterceptors(CircuitBreakerInterceptor.with('catalogue'))
 *
 * @publicApi
 */
@Injectable()
export class CircuitBreakerInterceptor extends PolicyInterceptor {
  static override readonly declared = onePolicy('circuitBreaker', 'CircuitBreakerInterceptor');

  /** The class of an interceptor with other options; the arguments are those of `@CircuitBreaker`. */
  static with(...args: [CircuitBreakerConfig] | [name: string, options?: CircuitBreakerConfig]): Type<NestInterceptor> {
    return derive(CircuitBreakerInterceptor, onePolicy('circuitBreaker', 'CircuitBreakerInterceptor.with', args));
  }
}
