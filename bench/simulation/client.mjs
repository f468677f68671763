/** A process that calls the service under policies of its own, as decorators would put them around a method. */
export function createClient(library, { timeout, policies }, environment, service) {
  const { retry, circuitBreaker } = policies;
  const { clock } = environment;
  const budget =
    retry === undefined || retry.budget === false
      ? undefined
      : new library.RetryBudget({ ...library.RETRY_BUDGET_DEFAULTS, ...retry.budget }, clock.now());
  const stages = {
    'timeout.total': new library.TotalTimeoutPolicy('orders', timeout.total, environment),
    'timeout.perAttempt': new library.AttemptTimeoutPolicy('orders', timeout.perAttempt, environment),
    ...(retry && {
      retry: new library.RetryPolicy('orders', { ...library.RETRY_DEFAULTS, ...retry }, environment, budget),
    }),
    ...(circuitBreaker && {
      circuitBreaker: new library.CircuitBreakerPolicy(
        'orders',
        { ...library.CIRCUIT_BREAKER_DEFAULTS, ...circuitBreaker },
        environment,
      ),
    }),
  };
  const method = library.promiseStage(
    (call) =>
      new Promise((resolve, reject) => {
        const leave = service.receive((error) => {
          call.offAbort(leave);
          if (error === undefined) resolve('order');
          else reject(error);
        });
        call.onAbort(leave);
      }),
  );
  const run = library.compose(stages, method);
  const target = { className: 'Client', methodName: 'order', clock, callContext: false };
  return () => run(new library.PipelineCall(target, { instance: undefined, args: [] }));
}
