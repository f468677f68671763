import { CircuitBreaker } from 'nestjs-bulwark';
import { cockatiel, Opossum } from '../peers/index.mjs';
import { decorate } from './decorate.mjs';

const { circuitBreaker, ConsecutiveBreaker, handleAll, SamplingBreaker } = cockatiel;

/** Long enough that no breaker probes while a row runs. */
const RESET_MS = 600_000;

/** A class with one guarded method, used as people use it: through its decorator. */
export function bulwarkClass(method, options = {}) {
  class Upstream {}
  Object.defineProperty(Upstream.prototype, 'request', { value: method, configurable: true, writable: true });
  decorate(Upstream.prototype, 'request', CircuitBreaker({ timeout: false, resetTimeout: RESET_MS, ...options }));
  return Upstream;
}

/** A function that makes an instance, and with it a breaker, and gives a function that calls it. */
export function bulwark(method, options) {
  const Upstream = bulwarkClass(method, options);
  return () => {
    const upstream = new Upstream();
    return () => upstream.request();
  };
}

/** opossum without its snapshots: sorting every latency of the window once a second would swamp the machine. */
export function opossum(method, options = {}) {
  const breaker = new Opossum(method, {
    timeout: false,
    resetTimeout: RESET_MS,
    volumeThreshold: 10,
    enableSnapshots: false,
    ...options,
  });
  return () => breaker.fire();
}

/** The rolling rate of the last 10 s, as ours. */
export function cockatielSampling(method, { threshold = 0.5 } = {}) {
  const breaker = new SamplingBreaker({ threshold, duration: 10_000, minimumRps: 1 });
  const policy = circuitBreaker(handleAll, { halfOpenAfter: RESET_MS, breaker });
  return () => policy.execute(method);
}

export function cockatielConsecutive(method, failures = 5) {
  const policy = circuitBreaker(handleAll, { halfOpenAfter: RESET_MS, breaker: new ConsecutiveBreaker(failures) });
  return () => policy.execute(method);
}
