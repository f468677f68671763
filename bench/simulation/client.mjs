/** A process that calls the service under policies of its own, as decorators would put them around a method. */
export function createClient(library, { timeout, policies }, environment, service) {
  const { clock, lifecycle } = environment;
  const work = library.promiseWork(
    (attempt) =>
      new Promise((resolve, reject) => {
        const leave = service.receive((error) => {
          attempt.offAbort(leave);
          if (error === undefined) resolve('order');
          else reject(error);
        });
        attempt.onAbort(leave);
      }),
  );
  const target = { className: 'Client', methodName: 'order', clock, lifecycle, callContext: false };
  const stages = createStages(library, timeout, policies, environment);
  const pipeline = library.layered(stages, target, work, { endsEarly: true });
  return () => pipeline.start(new library.Attempt(pipeline, undefined, []));
}

function createStages(library, timeout, { retry, circuitBreaker, adaptiveThrottle }, environment) {
  const stages = {
    'timeout.total': { decision: new library.TotalTimeoutDecision('orders', timeout.total, environment) },
    'timeout.perAttempt': { guard: library.attemptTimeout('orders', timeout.perAttempt, environment) },
  };
  if (retry !== undefined) {
    const options = { ...library.RETRY_DEFAULTS, ...retry };
    const budget = createBudget(library, retry.budget, environment);
    stages.retry = { decision: new library.RetryDecision('orders', options, environment, budget) };
  }
  if (circuitBreaker !== undefined) {
    const options = { ...library.CIRCUIT_BREAKER_DEFAULTS, ...circuitBreaker };
    const breakers = new library.NamedBreakers('orders', options, environment);
    stages.circuitBreaker = { guard: new library.CircuitBreakerGuard(breakers) };
  }
  if (adaptiveThrottle !== undefined) {
    const options = { ...library.ADAPTIVE_THROTTLE_DEFAULTS, ...adaptiveThrottle };
    const throttle = new library.AdaptiveThrottle('orders', options, environment);
    stages.adaptiveThrottle = { guard: new library.AdaptiveThrottleGuard(throttle, environment.clock) };
  }
  return stages;
}

function createBudget(library, budget, { clock }) {
  if (budget === false) return undefined;
  return new library.RetryBudget({ ...library.RETRY_BUDGET_DEFAULTS, ...budget }, clock.now());
}
