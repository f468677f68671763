/** The parts of the built library that run in the simulation. */
export { EventBus } from '../../dist/lib/events/event-bus.js';
export { PipelineCall } from '../../dist/lib/pipeline/call.js';
export { compose } from '../../dist/lib/pipeline/compose.js';
export { promiseStage } from '../../dist/lib/pipeline/stages.js';
export { CIRCUIT_BREAKER_DEFAULTS } from '../../dist/lib/policies/circuit-breaker/circuit-breaker.options.js';
export { CircuitBreakerPolicy } from '../../dist/lib/policies/circuit-breaker/circuit-breaker.policy.js';
export { Lifecycle } from '../../dist/lib/kernel/policy.js';
export { RetryBudget } from '../../dist/lib/kernel/retry-budget/retry-budget.js';
export { RETRY_BUDGET_DEFAULTS } from '../../dist/lib/kernel/retry-budget/retry-budget.options.js';
export { RETRY_DEFAULTS } from '../../dist/lib/policies/retry/retry.options.js';
export { RetryPolicy } from '../../dist/lib/policies/retry/retry.policy.js';
export { Ingress } from '../../dist/lib/policies/system-protection/ingress.js';
export { parseSystemProtection } from '../../dist/lib/policies/system-protection/system-protection.options.js';
export { AttemptTimeoutPolicy } from '../../dist/lib/policies/timeout/attempt-timeout.policy.js';
export { TotalTimeoutPolicy } from '../../dist/lib/policies/timeout/total-timeout.policy.js';
