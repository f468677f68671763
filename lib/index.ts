export { AdaptiveThrottle } from './decorators/adaptive-throttle.decorator.js';
export { Bulkhead } from './decorators/bulkhead.decorator.js';
export { CircuitBreaker } from './decorators/circuit-breaker.decorator.js';
export { Coalesce } from './decorators/coalesce.decorator.js';
export { Fallback } from './decorators/fallback.decorator.js';
export { RateLimit } from './decorators/rate-limit.decorator.js';
export { Hedge } from './decorators/hedge.decorator.js';
export { Recover } from './decorators/recover.decorator.js';
export { Resilient } from './decorators/resilient.decorator.js';
export { Retry } from './decorators/retry.decorator.js';
export { Signal } from './decorators/signal.decorator.js';
export { Timeout } from './decorators/timeout.decorator.js';
export type {
  AnswerDecorator,
  AsyncMethod,
  CoalesceDecorator,
  GuardDecorator,
  NamedAnswerDecorator,
  PromiseDecorator,
  PromiseMethod,
  SubstituteFor,
  SubstituteMethod,
} from './decorators/types.js';

export { CircuitBreakerHandle } from './module/breaker-handle.js';
export { Idempotent, type IdempotentOptions } from './decorators/idempotent.decorator.js';
export { drainOnSignals } from './module/shutdown/drain-on-signals.js';
export type { DrainOptions } from './module/shutdown/drain.options.js';
export type { StartRampOptions } from './kernel/start-ramp.js';
export type { DeadlineOptions, IncomingOptions } from './module/incoming/incoming.options.js';
export { RateLimitHandle } from './module/rate-limit-handle.js';
export { RetryBudgetHandle } from './module/retry-budget-handle.js';
export type {
  BreakerReport,
  BulkheadReport,
  InstanceReport,
  RateLimitReport,
  RetryBudgetReport,
} from './read-model/instance-report.js';
export { BulkheadHandle } from './module/bulkhead-handle.js';
export { ResilienceExceptionFilter, setRetryAfter } from './module/exception-filter.js';
export { CircuitBreakerInterceptor } from './module/interceptors/circuit-breaker.interceptor.js';
export { FallbackInterceptor } from './module/interceptors/fallback.interceptor.js';
export { RecoverInterceptor } from './module/interceptors/recover.interceptor.js';
export { ResilienceInterceptor } from './module/interceptors/resilience.interceptor.js';
export { RetryInterceptor } from './module/interceptors/retry.interceptor.js';
export { TimeoutInterceptor } from './module/interceptors/timeout.interceptor.js';
export type { PlanEntry } from './planning/plan-entries.js';
export type { PlanWarning } from './planning/lint/lint-plan.js';
export type { LintOptions } from './planning/lint/lint-options.js';
export type { LintCode } from './planning/lint/lint-rules.js';
export { ResilienceModule } from './module/resilience.module.js';
export type {
  ResilienceModuleExtras,
  ResilienceModuleOptions,
  ResilienceOptionsFactory,
} from './module/resilience.module-definition.js';
export { ResilienceRules, type RuleAuthor } from './module/rules/resilience-rules.js';
export type { PolicyRules, RuleChange, RuleDocument } from './rules/rule-document.js';
export type { RuleSource } from './rules/rule-source.js';
export { SystemProtectionHandle } from './module/system-protection/system-protection-handle.js';
export { ResilienceService, type ExecuteOptions } from './module/resilience.service.js';
export { RESILIENCE_CLOCK, RESILIENCE_RANDOM } from './module/tokens.js';

export { currentCall, type CurrentCall } from './pipeline/current-call.js';
export type { PlannedPolicy } from './pipeline/plan-init.js';

export type { Handler } from './kernel/answer.js';
export type { CallInfo } from './kernel/call-info.js';
export type { Clock, Timer } from './kernel/clock.js';
export type { AdaptiveRule, ConcurrencyRule } from './kernel/adaptive-limit/concurrency-rule.js';
export type { BackoffRule } from './kernel/backoff/backoff-rule.js';
export type { SingleTripRule, TripRule } from './policies/circuit-breaker/trip/trip-rule.js';
export type { ErrorMatch } from './kernel/error-match.js';
export type { OnStoreError } from './kernel/cluster-rate-store.js';
export type { RateLimitScope, StateScope } from './kernel/options/state-scope.js';
export type { Returns } from './kernel/method-kind.js';
export type { PolicySet } from './policies/policy-set.js';
export { adaptive, type AdaptiveConcurrency, type AdaptiveOptions } from './kernel/adaptive-limit/adaptive.options.js';
export type { LastGoodOptions, LastGoodStore } from './policies/fallback/last-good.options.js';
export type { AdaptiveThrottleOptions } from './policies/adaptive-throttle/adaptive-throttle.options.js';
export type { BulkheadConfig, BulkheadOptions, BulkheadSetting } from './policies/bulkhead/bulkhead.options.js';
export { Breaker } from './policies/circuit-breaker/breaker.js';
export type { BreakerJson, BreakerState } from './policies/circuit-breaker/breaker-json.js';
export type { BreakerOptions } from './policies/circuit-breaker/breaker-options.js';
export type { BreakerSnapshot } from './policies/circuit-breaker/breaker-snapshot.js';
export type { BreakerBucket, BreakerStats } from './policies/circuit-breaker/breaker-stats.js';
export type { BreakerStatus } from './policies/circuit-breaker/breaker-status.js';
export type {
  CircuitBreakerConfig,
  CircuitBreakerOptions,
  CircuitBreakerSetting,
} from './policies/circuit-breaker/circuit-breaker.options.js';
export { anyOf } from './policies/circuit-breaker/trip/any-of.js';
export { consecutiveFailures } from './policies/circuit-breaker/trip/consecutive-failures.js';
export { countWindow, type CountWindowOptions } from './policies/circuit-breaker/trip/count-window.js';
export { failureCount } from './policies/circuit-breaker/trip/failure-count.js';
export { failureRate } from './policies/circuit-breaker/trip/failure-rate.js';
export { slowCallRate, type SlowCallRateOptions } from './policies/circuit-breaker/trip/slow-call-rate.js';
export type { TripStrategy, TripTracker, TripWindow } from './policies/circuit-breaker/trip/trip-strategy.js';
export type { CoalesceOptions, CoalesceSetting } from './policies/coalesce/coalesce.options.js';
export type { FallbackOptions, FallbackSetting } from './policies/fallback/fallback.options.js';
export type {
  RateLimitOptions,
  RateLimitOverride,
  RateLimitSetting,
} from './policies/rate-limit/rate-limit.options.js';
export type { HedgeOptions, HedgePercentile, HedgeSetting } from './policies/hedge/hedge.options.js';
export type { RecoverOptions, RecoverSetting } from './policies/recover/recover.options.js';
export type { Backoff, BackoffFunction, Jitter } from './kernel/backoff/backoff.js';
export { decorrelatedJitter, type DecorrelatedJitterOptions } from './kernel/backoff/decorrelated-jitter.js';
export { exponential, type ExponentialOptions } from './kernel/backoff/exponential.js';
export { fibonacci, type FibonacciOptions } from './kernel/backoff/fibonacci.js';
export { fixed } from './kernel/backoff/fixed.js';
export { linear, type LinearOptions } from './kernel/backoff/linear.js';
export type { RetryConfig, RetryOptions, RetrySetting } from './policies/retry/retry.options.js';
export type { RetryBudgetOptions, RetryBudgetSetting } from './kernel/retry-budget/retry-budget.options.js';
export type { SystemProtectionOptions } from './policies/system-protection/system-protection.options.js';
export type { TimeoutOptions, TimeoutSetting } from './policies/timeout/timeout.options.js';

export { CallThrottledException } from './errors/call-throttled.exception.js';
export { BulkheadFullException } from './errors/bulkhead-full.exception.js';
export { CircuitOpenException } from './errors/circuit-open.exception.js';
export { ResilienceConfigurationError } from './errors/configuration.error.js';
export { RateLimitExceededException } from './errors/rate-limit-exceeded.exception.js';
export {
  ResilienceException,
  type ResilienceErrorCode,
  type ResilienceExceptionInit,
} from './errors/resilience.exception.js';
export { RuleSetError, type RuleFault } from './errors/rule-set.error.js';
export { ShutdownException } from './errors/shutdown.exception.js';
export { TimeoutException } from './errors/timeout.exception.js';
export type {
  AbandonedEvent,
  CircuitState,
  FailureEvent,
  FallbackEvent,
  HedgeEvent,
  IgnoredEvent,
  KeysExhaustedEvent,
  LimitChangeEvent,
  OperatorAction,
  OperatorActionEvent,
  PolicyKey,
  RecoveredEvent,
  RefusedEvent,
  ResilienceEvent,
  RetryEvent,
  RetrySuppressedEvent,
  RuleChangeEvent,
  ShedEvent,
  StateChangeEvent,
  StoreEvent,
  SuccessEvent,
  TimeoutEvent,
} from './events/resilience-event.js';

export { DataConflictException, DataException } from './data/port/errors.js';
export type { DataRecipe } from './data/port/data-recipe.js';
export { DataService } from './data/port/data.service.js';
export { getDataServiceToken, InjectDataService } from './data/port/inject-data-service.decorator.js';
