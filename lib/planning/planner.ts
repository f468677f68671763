import { Mistakes, ResilienceConfigurationError } from '../errors/configuration.error.js';
import type { Decision } from '../kernel/decision.js';
import type { Guard } from '../kernel/guard.js';
import type { PipelineInit, Work } from '../kernel/pipeline.js';
import { handOnIterable, iterableWork } from '../pipeline/async-iterable.js';
import { layered, type Stages } from '../pipeline/layers.js';
import { ORDER, type Stage } from '../pipeline/order.js';
import { Plan, type Learner, type MethodKind, type PlannedPolicy } from '../pipeline/plan.js';
import { promiseWork, type Body } from '../pipeline/promise-work.js';
import { REFUSAL_DECISION } from '../pipeline/refusal.decision.js';
import type { ResolvedBulkhead } from '../policies/bulkhead/bulkhead.options.js';
import type { ResolvedCircuitBreaker } from '../policies/circuit-breaker/circuit-breaker.options.js';
import { resolveCoalesce } from '../policies/coalesce/coalesce.options.js';
import { Coalescing } from '../policies/coalesce/coalescing.js';
import type { DeclaredFallback } from '../policies/fallback/fallback.options.js';
import { FallbackDecision } from '../policies/fallback/fallback.decision.js';
import { resolveHedge } from '../policies/hedge/hedge.options.js';
import { Hedging } from '../policies/hedge/hedging.js';
import type { PolicyEnvironment } from '../kernel/policy.js';
import { STATEFUL, type Returns, type SetKey } from '../policies/policy-set.js';
import { resolveRateLimit } from '../policies/rate-limit/rate-limit.options.js';
import { RateLimitGuard } from '../policies/rate-limit/rate-limit.guard.js';
import { CircuitBreakerGuard } from '../policies/circuit-breaker/circuit-breaker.guard.js';
import type { NamedBreakers } from '../policies/circuit-breaker/named-breakers.js';
import { RecoverDecision } from '../policies/recover/recover.decision.js';
import type { ResolvedRetry } from '../policies/retry/retry.options.js';
import { RetryDecision } from '../policies/retry/retry.decision.js';
import { attemptTimeout } from '../policies/timeout/attempt-timeout.guard.js';
import { resolveTimeout } from '../policies/timeout/timeout.options.js';
import { TotalTimeoutDecision } from '../policies/timeout/total-timeout.decision.js';
import { describeOptions } from './describe-options.js';
import type { Instances } from './instances.js';
import { guardedObservable, handOnObservable, observableWork } from '../module/observable.js';
import { PlannedBudget, type NamelessBudgets } from './planned-budget.js';
import { ForcedOnlyGuard } from '../policies/circuit-breaker/forced-only.guard.js';
import type { DeadlineQueues } from '../kernel/deadline-queues.js';
import type { Options } from './policy-parsers.js';
import type { Resolution, ResolvedPolicy } from './resolver.js';

/** What is to be guarded. */
export interface Target {
  readonly className: string;
  readonly methodName: string;
  /** `Class.method`: the name of the instances that were not given one. */
  readonly instanceName: string;
  /** Other targets have the same name, so that no budget can be kept under it: where it is then. */
  readonly budgets?: NamelessBudgets | undefined;
  /** Queues of deadlines that it shares with others of its kind. @default it has its own */
  readonly deadlines?: DeadlineQueues | undefined;
  /** The name of state that each instance has for itself, for the instance that this is planned for. @default the name itself */
  nameOfState?(name: string): string;
  readonly kind: MethodKind;
  /** Learns what it gives, where nobody says so. */
  readonly learner?: Learner | undefined;
  /** Its stream is the one answer to a request. @default false */
  readonly answersOnce?: boolean;
  readonly parameterCount: number;
  readonly signalIndex: number;
  /** Whether an HTTP client waits for its answer. */
  readonly http: boolean;
  readonly body: Body;
  /** Whether each call can say what answers its refusals. @default false */
  readonly answersRefusals?: boolean;
}

/** How a plan is made for the app. */
export interface PlannerEnvironment extends PolicyEnvironment {
  /** `enabled: false`: only Fallback and Recover stay. */
  readonly enabled: boolean;
  /** Whether the running call is known below it. */
  readonly callContext: boolean;
  /** Without the module a policy without a value is skipped. */
  readonly lenient: boolean;
}

/** Builds the pipeline of a target from its resolved policies. */
export function buildPlan(
  target: Target,
  resolution: Resolution,
  instances: Instances,
  environment: PlannerEnvironment,
): Plan {
  const { deadlines } = target;
  // What policies read of the surroundings may change until the app has started: they are not copied.
  const surroundings =
    deadlines === undefined ? environment : (Object.create(environment, { deadlines: { value: deadlines } }) as never);
  return new PlanBuilder(target, resolution, instances, surroundings).build();
}

/** The work of a method, and how what answers in its place is handed on, by what it gives. */
const KINDS_OF_WORK: Readonly<Record<Returns, { work: (body: Body) => Work; handOn: PipelineInit['handOn'] }>> = {
  promise: { work: promiseWork, handOn: undefined },
  observable: { work: observableWork, handOn: handOnObservable },
  asyncIterable: { work: iterableWork, handOn: handOnIterable },
};

const guard = (one: Guard) => ({ guard: one });
const decision = (one: Decision) => ({ decision: one });

class PlanBuilder {
  readonly #stages: { -readonly [S in keyof Stages]: Stages[S] } = {};
  readonly #planned = new Map<Stage, PlannedPolicy>();
  #fallback: FallbackDecision | undefined;
  #breakers: NamedBreakers | undefined;
  #passesBy: ForcedOnlyGuard | undefined;
  #retry: RetryDecision | undefined;
  readonly #budgets: PlannedBudget;

  constructor(
    private readonly target: Target,
    private readonly resolution: Resolution,
    private readonly instances: Instances,
    private readonly environment: PlannerEnvironment,
  ) {
    this.#budgets = new PlannedBudget(target, resolution, instances, environment.clock);
  }

  /** @throws ResilienceConfigurationError for every policy that cannot be made. */
  build(): Plan {
    const { policies } = this.resolution;
    const mistakes = new Mistakes();
    mistakes.in(() => this.#addRecover(policies.get('recover')));
    if (this.target.answersRefusals === true) this.#stages.onRefused = decision(REFUSAL_DECISION);
    mistakes.in(() => this.#addFallback(policies.get('fallback')));
    if (this.environment.enabled) {
      mistakes.in(() => this.#addCoalesce(policies.get('coalesce')));
      mistakes.in(() => this.#addRetry(policies.get('retry')));
      mistakes.in(() => this.#addBreaker(policies.get('circuitBreaker')));
      mistakes.in(() => this.#addHedge(policies.get('hedge')));
      const perAttempt = mistakes.in(() => this.#addTimeouts(policies.get('timeout'), policies.get('circuitBreaker')));
      mistakes.in(() => this.#addRateLimit(policies.get('rateLimit'), perAttempt));
      mistakes.in(() => this.#addBulkhead(policies.get('bulkhead')));
    } else mistakes.in(() => this.#addIdleBreaker(policies.get('circuitBreaker')));
    mistakes.throwAny(this.target.instanceName);
    return this.#assemble();
  }

  #assemble(): Plan {
    const { kind, className, methodName, body, signalIndex, ...target } = this.target;
    const { clock, lifecycle, callContext, enabled } = this.environment;
    const { work, handOn } = KINDS_OF_WORK[kind === 'sync' ? 'promise' : (kind ?? 'promise')];
    const stages = this.#stages;
    const { circuitBreaker, rateLimit, bulkhead, recover, onRefused, fallback } = stages;
    // What nothing guards need not be known.
    const learner = this.#planned.size === 0 ? undefined : target.learner;
    const of = { className, methodName, clock, lifecycle, callContext };
    const learns = kind === undefined || kind === 'sync';
    return new Plan({
      target: of,
      kind,
      policies: ORDER.flatMap((place) => this.#planned.get(place) ?? []),
      signalIndex,
      pipeline: layered(stages, of, work(body), { endsEarly: enabled, handOn }),
      learner,
      counting:
        learner === undefined ? undefined : layered({ circuitBreaker, rateLimit, bulkhead }, of, promiseWork(body)),
      answering: learns ? layered({ recover, onRefused, fallback }, of, promiseWork(body)) : undefined,
      body,
      observe: guardedObservable,
    });
  }

  #addRecover(policy: ResolvedPolicy | undefined): void {
    if (policy === undefined) return;
    const name = this.#plan('recover', policy, policy.options);
    this.#stages.recover = decision(new RecoverDecision(name, policy.options, this.target, this.environment));
  }

  #addFallback(policy: ResolvedPolicy | undefined): void {
    if (policy === undefined) return;
    const name = this.#plan('fallback', policy, policy.options);
    const fallbacks = policy.options.fallbacks as readonly DeclaredFallback[] | undefined;
    if (fallbacks === undefined)
      throw new ResilienceConfigurationError(
        `${this.target.instanceName}, ${policy.label}`,
        'a fallback has no built-in value: expected one here, or in policies.default.fallback; got undefined',
      );
    this.#fallback = new FallbackDecision(name, fallbacks, this.target.parameterCount, this.environment);
    this.#stages.fallback = decision(this.#fallback);
  }

  #addCoalesce(policy: ResolvedPolicy | undefined): void {
    if (policy === undefined || (policy.options.key === undefined && this.environment.lenient)) return;
    const place = `${this.target.instanceName}, ${policy.label}`;
    this.#refuseStreams(place, 'a single flight');
    const options = resolveCoalesce(place, policy.options);
    // Methods that name one set give different answers: each has flights of its own.
    const name = this.#plan('coalesce', policy, policy.options);
    this.#stages.coalesce = { junction: new Coalescing(name, options, this.environment) };
  }

  #addRetry(policy: ResolvedPolicy | undefined): void {
    if (policy === undefined) return;
    const name = this.#plan('retry', policy, policy.options);
    const options = policy.options as unknown as ResolvedRetry;
    this.#retry = new RetryDecision(name, options, this.environment, this.#budgets.for(policy));
    this.#stages.retry = decision(this.#retry);
  }

  #addHedge(policy: ResolvedPolicy | undefined): void {
    if (policy === undefined || (policy.options.after === undefined && this.environment.lenient)) return;
    const place = `${this.target.instanceName}, ${policy.label}`;
    if (this.target.answersOnce !== true) this.#refuseStreams(place, 'a hedge');
    const options = resolveHedge(place, policy.options);
    const name = this.#plan('hedge', policy, policy.options);
    const budget = this.#budgets.for(policy);
    const breaker = this.#passesBy ?? this.#breakers;
    const junction = new Hedging(name, options, this.environment, {
      budget,
      earns: this.#retry?.budget !== budget,
      closed: breaker === undefined ? undefined : (attempt) => breaker.isClosedFor(attempt),
    });
    this.#stages.hedge = { junction };
  }

  /** @throws ResilienceConfigurationError when the target gives a stream, which cannot run beside itself. */
  #refuseStreams(place: string, what: string): void {
    const kind = this.target.kind ?? this.resolution.returns;
    if (kind !== 'observable' && kind !== 'asyncIterable') return;
    const found = kind === 'observable' ? 'an Observable' : 'an async iterable';
    throw new ResilienceConfigurationError(place, `${what} expects a method that gives a promise, got ${found}`);
  }

  #addBreaker(policy: ResolvedPolicy | undefined): void {
    if (policy === undefined) return;
    const breaker = this.#breakerOf(policy, this.#plan('circuitBreaker', policy, policy.options));
    this.#breakers = breaker;
    if (policy.ruling?.passesBy === true) {
      this.#passesBy = new ForcedOnlyGuard(breaker);
      this.#stages.circuitBreaker = guard(this.#passesBy);
    } else {
      this.#stages.circuitBreaker = guard(new CircuitBreakerGuard(breaker));
      if (this.#fallback !== undefined) this.#fallback.witness = breaker;
    }
  }

  /** Under the kill switch a breaker stands aside, but whoever holds its handle still finds it. */
  #addIdleBreaker(policy: ResolvedPolicy | undefined): void {
    if (policy !== undefined) this.#breakerOf(policy, this.#nameOf(policy));
  }

  /** What rules say of `enabled` is no option: it is their word in the order of control. */
  #breakerOf({ options, ruling }: ResolvedPolicy, name: string): NamedBreakers {
    const resolved = { ...options, enabled: ruling?.enabled ?? options.enabled } as unknown as ResolvedCircuitBreaker;
    return this.instances.circuitBreaker(name, resolved, ruling?.word);
  }

  /**
   * The limit of an attempt is the method's own, else that of its breaker; `false` anywhere stands.
   *
   * @returns that limit, ms; undefined: none.
   */
  #addTimeouts(policy: ResolvedPolicy | undefined, breaker: ResolvedPolicy | undefined): number | undefined {
    const place = `${this.target.instanceName}, ${policy?.label ?? '@Timeout'}`;
    const bare = policy !== undefined && policy.options.perAttempt === undefined && policy.options.total === undefined;
    const own = policy === undefined || (bare && this.environment.lenient) ? {} : resolveTimeout(place, policy.options);
    const inherited = this.resolution.off.has('timeout') ? undefined : breaker?.options.timeout;
    const perAttempt = own.perAttempt ?? (inherited as number | false | undefined);
    const sources = {
      perAttempt: own.perAttempt === undefined ? 'circuitBreaker.timeout' : (policy?.sources.perAttempt ?? ''),
    };

    if (typeof own.total === 'number' && policy !== undefined) {
      const name = this.#plan('timeout.total', policy, { total: own.total });
      this.#stages['timeout.total'] = decision(new TotalTimeoutDecision(name, own.total, this.environment));
    }
    const ms = typeof perAttempt === 'number' ? perAttempt : undefined;
    const name = policy?.name ?? this.target.instanceName;
    if (ms !== undefined)
      this.#planned.set('timeout.perAttempt', { policy: 'timeout', name, options: { perAttempt: ms }, sources });
    const limitOf = own.perAttempt === undefined ? 'circuitBreaker' : undefined;
    if (ms !== undefined)
      this.#stages['timeout.perAttempt'] = guard(attemptTimeout(name, ms, this.environment, limitOf));
    return ms;
  }

  #addRateLimit(policy: ResolvedPolicy | undefined, perAttempt: number | undefined): void {
    if (policy === undefined) return;
    const { limit, per } = policy.options;
    if (this.environment.lenient && (limit === undefined || per === undefined)) return;
    const options = resolveRateLimit(`${this.target.instanceName}, ${policy.label}`, policy.options);
    const sources = { burst: 'limit', ...policy.sources };
    const name = this.#plan('rateLimit', { ...policy, sources }, { ...options });
    this.#stages.rateLimit = guard(new RateLimitGuard(this.instances.rateLimiter(name, options), perAttempt));
  }

  #addBulkhead(policy: ResolvedPolicy | undefined): void {
    if (policy === undefined) return;
    const name = this.#plan('bulkhead', policy, policy.options);
    this.#stages.bulkhead = guard(this.instances.bulkhead(name, policy.options as unknown as ResolvedBulkhead));
  }

  #nameOf({ key, name, options }: ResolvedPolicy): string {
    const given = name ?? this.target.instanceName;
    const isOwn = STATEFUL.has(key) && options.scope === 'instance';
    return isOwn ? (this.target.nameOfState?.(given) ?? given) : given;
  }

  /** Notes a policy for `plan()` and gives the name of its instance. */
  #plan(stage: Stage, resolved: ResolvedPolicy, options: Options): string {
    const { key, sources } = resolved;
    const instance = this.#nameOf(resolved);
    const shown = Object.fromEntries(Object.entries(sources).filter(([option]) => Object.hasOwn(options, option)));
    const policy: SetKey = key;
    this.#planned.set(stage, { policy, name: instance, options: describeOptions(options), sources: shown });
    return instance;
  }
}
