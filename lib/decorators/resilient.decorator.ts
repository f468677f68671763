import type { PolicySet } from '../policies/policy-set.js';
import { setDecorator } from './guard.js';
import type { GuardDecorator } from './types.js';

/**
 * Puts a whole policy set on a method or a class: `policies.default`, a set by its name, or one written here. A
 * method's other decorators override the set's keys. `false` exempts a method or handler from everything,
 * interceptors included.
 *
 * @example
 * @Resilient('payments')
 * charge(order: Order): Promise<Receipt> { ... }
 *
 * @publicApi
 */
export function Resilient(set?: string | PolicySet | false): GuardDecorator;
export function Resilient(...args: unknown[]): GuardDecorator {
  return setDecorator('@Resilient', args) as GuardDecorator;
}
