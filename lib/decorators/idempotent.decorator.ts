import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { recordOf } from '../guarded/guarded-classes.js';
import type { AnyClass } from '../guarded/guarded-method.js';
import { checkOptions, isPlainObject, show, type Expectation } from '../kernel/options/check.js';

/** What `@Idempotent()` takes. */
export interface IdempotentOptions<A extends unknown[] = never[]> {
  /**
   * Gives the key by which the dependency knows a repetition, from the arguments: a non-empty string, the same for the same
   * work. It is sent as `Idempotency-Key` by `resilientFetch` and `ResilienceHttpModule`, the same for all attempts of a call.
   *
   * @default a random UUID for each call
   */
  key?: (...args: A) => string;
}

const aFunction: Expectation = { expected: 'a function', accepts: (value) => typeof value === 'function' };

/**
 * Says that a method may be called again with the same arguments and changes nothing more: `resilientFetch` and
 * `ResilienceHttpModule` send a key by which the dependency knows a repetition. It needs `callContext: true`.
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
export function Idempotent<A extends unknown[]>(options: IdempotentOptions<A> = {}): MethodDecorator {
  return (target, key) => {
    const type = target.constructor as AnyClass;
    const place = `${type.name}.${String(key)}, @Idempotent`;
    if (!isPlainObject(options))
      throw new ResilienceConfigurationError(place, `expected { key } or nothing, got ${show(options)}`);
    checkOptions<IdempotentOptions>(place, options, { key: aFunction });
    recordOf(type).idempotent.set(String(key), options);
  };
}
