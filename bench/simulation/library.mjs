/** The parts of the built library that run in the simulation. */
export { EventBus } from '../../dist/lib/events/event-bus.js';
export { Attempt } from '../../dist/lib/kernel/attempt.js';
export { Lifecycle } from '../../dist/lib/kernel/policy.js';
export { RetryBudget } from '../../dist/lib/kernel/retry-budget/retry-budget.js';
export { RETRY_BUDGET_DEFAULTS } from '../../dist/lib/kernel/retry-budget/retry-budget.options.js';
export { layered } from '../../dist/lib/pipeline/layers.js';
export { promiseWork } from '../../dist/lib/pipeline/promise-work.js';
export { CircuitBreakerGuard } from '../../dist/lib/policies/circuit-breaker/circuit-breaker.guard.js';
export { CIRCUIT_BREAKER_DEFAULTS } from '../../dist/lib/policies/circuit-breaker/circuit-breaker.options.js';
export { NamedBreakers } from '../../dist/lib/policies/circuit-breaker/named-breakers.js';
export { RetryDecision } from '../../dist/lib/policies/retry/retry.decision.js';
export { RETRY_DEFAULTS } from '../../dist/lib/policies/retry/retry.options.js';
export { Ingress } from '../../dist/lib/policies/system-protection/ingress.js';
export { parseSystemProtection } from '../../dist/lib/policies/system-protection/system-protection.options.js';
export { attemptTimeout } from '../../dist/lib/policies/timeout/attempt-timeout.guard.js';
export { TotalTimeoutDecision } from '../../dist/lib/policies/timeout/total-timeout.decision.js';
