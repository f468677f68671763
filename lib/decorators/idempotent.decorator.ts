import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { recordOf } from '../guarded/guarded-classes.js';
import type { AnyClass } from '../guarded/guarded-method.js';
import { checkOptions, isPlainObject, show, type Expectation } from '../kernel/options/check.js';
import { refuseWithoutParentheses } from '../errors/without-parentheses.js';

/** What `@Idempotent()` takes. */
export interface IdempotentOptions<A extends unknown[] = never[]> {
  /**
   * Gives the key by which the dependency knows a repetition, from the arguments: 1 to 255 printable ASCII characters, the
   * same for the same work. `resilientFetch` and `ResilienceHttpModule` send it as `Idempotency-Key`, the same for all attempts
   * of a call; `currentCall().idempotencyKey` has it for other clients. Where the function throws or gives anything else, that
   * is logged, once a minute, and the call gets a random one. It is asked where a decorator of ours guards the method.
   *
   * @default a random UUID for each call
   */
  key?: (...args: A) => string;
}

const aFunction: Expectation = { expected: 'a function', accepts: (value) => typeof value === 'function' };

/**
 * Says that a method may be called again with the same arguments and changes nothing more: `resilientFetch` and
 * `ResilienceHttpModule` send a key by which the dependency knows a repetition, which needs `callContext: true`. Interceptors
 * repeat such a handler whatever the request's method, and the start does not warn of a `@Retry` on it.
 *
 * @example
 * @Retry(3)
 * @Idempotent({ key: (order: Order) => order.id })
 * async charge(order: Order): Promise<Receipt> { ... }
 *
 * @throws ResilienceConfigurationError for wrong options.
 *
 * @publicApi
 */
export function Idempotent<A extends unknown[]>(options?: IdempotentOptions<A>): MethodDecorator;
export function Idempotent(...args: unknown[]): MethodDecorator {
  refuseWithoutParentheses('@Idempotent()', args);
  const [options = {}] = args;
  return (target, key) => {
    const type = target.constructor as AnyClass;
    const place = `${type.name}.${String(key)}, @Idempotent`;
    if (!isPlainObject(options))
      throw new ResilienceConfigurationError(place, `expected { key } or nothing, got ${show(options)}`);
    checkOptions<IdempotentOptions>(place, options, { key: aFunction });
    recordOf(type).idempotent.set(String(key), options);
  };
}
