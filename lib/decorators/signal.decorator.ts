import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { recordOf } from '../guarded/guarded-classes.js';
import type { AnyClass } from '../guarded/guarded-method.js';
import { refuseWithoutParentheses } from '../errors/without-parentheses.js';

/**
 * Marks the parameter at which a guarded method gets the `AbortSignal` of its attempt. A caller may pass a signal of
 * its own there, that of a polyfill too: then its abort ends the call.
 *
 * @example
 * @Timeout(500)
 * async fetchRates(currency: string, @Signal() signal: AbortSignal | null = null): Promise<Rates> {
 *   const response = await fetch(this.url(currency), { signal });
 *   if (!response.ok) throw new UpstreamHttpError(response);
 *   return (await response.json()) as Rates;
 * }
 *
 * @publicApi
 */
export function Signal(): (target: object, key: string | symbol | undefined, index: number) => void;
export function Signal(...args: unknown[]): (target: object, key: string | symbol | undefined, index: number) => void {
  refuseWithoutParentheses('@Signal()', args);
  return (target, key, index) => {
    const refuse = (what: string): never => {
      const owner = typeof target === 'function' ? target : target.constructor;
      throw new ResilienceConfigurationError(
        `${owner.name}, @Signal`,
        `cannot stand on ${what}; expected a parameter of a method of instances`,
      );
    };
    if (typeof index !== 'number') return refuse('a method or a field');
    if (key === undefined) return refuse('a parameter of a constructor');
    if (typeof target === 'function') return refuse('a parameter of a static method');
    const { signals } = recordOf(target.constructor as AnyClass);
    const other = signals.get(String(key));
    if (other !== undefined && other !== index) return refuse(`two parameters of ${String(key)}`);
    signals.set(String(key), index);
  };
}
