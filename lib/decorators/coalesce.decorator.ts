import type { CoalesceOptions } from '../policies/coalesce/coalesce.options.js';
import { policyDecorator } from './guard.js';
import type { CoalesceDecorator } from './types.js';

/**
 * Calls with the same key that come while one of them runs share its execution (single flight). Each keeps its own
 * time limit and signal; the run ends when the last of them has left. Nothing is cached.
 *
 * All get the same value by reference, or the same error: treat the value as read-only. The run belongs to the first
 * caller: to its arguments and its AsyncLocalStorage context. By default only calls of one object share, so a
 * request-scoped provider shares nothing between requests.
 *
 * A method that calls itself with its own key runs the inner call alone where `callContext` is on; where it is off,
 * nobody knows, and it waits until a time limit ends it.
 *
 * @example
 * @Coalesce({ key: (sku: string) => sku })
 * load(sku: string): Promise<Product> { ... }
 *
 * @publicApi
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever arguments the method takes
export function Coalesce<A extends any[]>(
  options: (CoalesceOptions<A> & { key: unknown }) | false,
): CoalesceDecorator<A>;
export function Coalesce(...args: unknown[]): CoalesceDecorator<never[]> {
  return policyDecorator('coalesce', '@Coalesce({ key: (id) => id })', args, ([setting]) => ({
    setting,
  })) as CoalesceDecorator<never[]>;
}
