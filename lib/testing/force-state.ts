import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { instanceOf } from '../errors/foreign.js';
import type { CircuitState } from '../events/resilience-event.js';
import { checkValue, oneOf } from '../kernel/options/check.js';
import type { CircuitBreakerHandle } from '../module/breaker-handle.js';
import type { ResilienceService } from '../module/resilience.service.js';

const REASON = 'forced by a test';

/** How a breaker gets into a state, from the clean one. */
const WAYS: Readonly<Record<CircuitState, (handle: CircuitBreakerHandle) => void>> = {
  closed: () => undefined,
  // As if it had tripped: it lets a probe through when its reset time is over.
  open: ({ breaker }) => breaker.open(),
  halfOpen: (handle) => handle.restore({ name: handle.name, state: 'halfOpen', reason: REASON, openings: 1 }),
  forcedOpen: (handle) => handle.forceOpen(REASON),
  disabled: (handle) => handle.disable(),
};

const aState = oneOf(...Object.keys(WAYS));

/** @throws ResilienceConfigurationError for an unknown breaker or state, or where a rule holds it in another one. */
export function forceState(
  place: string,
  service: ResilienceService,
  name: string,
  state: CircuitState,
  key: string | undefined,
): CircuitBreakerHandle {
  checkValue(place, 'the state', state, aState);
  const handle = breakerOf(place, service, name, key);
  handle.reset();
  WAYS[state](handle);
  if (handle.state === state) return handle;
  throw new ResilienceConfigurationError(
    place,
    `circuit breaker '${handle.name}' cannot be '${state}': it is '${handle.state}', since its options or a rule hold it there`,
  );
}

function breakerOf(place: string, service: ResilienceService, name: string, key: string | undefined) {
  try {
    return service.circuitBreaker(name, key);
  } catch (error) {
    if (!instanceOf(error, ResilienceConfigurationError)) throw error;
    throw new ResilienceConfigurationError(place, error.message.replace(/^ResilienceService\.circuitBreaker: /, ''));
  }
}
