import { CircuitBreaker, Fallback, Retry, Timeout } from 'nestjs-bulwark';
import { decorate } from './decorate.mjs';

export const TIMEOUT_MS = 1_000;

/** The four policies that the rows call the stack, outermost first. */
export function stackOfFour() {
  return [Fallback({ value: 0 }), Retry(3), CircuitBreaker(), Timeout(TIMEOUT_MS)];
}

/** A class with one method under `policies`. */
export function classWith(policies, method) {
  class Upstream {}
  Object.defineProperty(Upstream.prototype, 'request', { value: method, configurable: true, writable: true });
  decorate(Upstream.prototype, 'request', ...policies);
  return Upstream;
}

/** A function that calls such a method on an instance of its own. */
export function callOf(policies, method) {
  const upstream = new (classWith(policies, method))();
  return (argument) => upstream.request(argument);
}
