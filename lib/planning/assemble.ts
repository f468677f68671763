import type { Mistakes } from '../errors/configuration.error.js';
import { EventBus } from '../events/event-bus.js';
import type { MadePolicy, Making } from '../kernel/making.js';
import type { MethodKind } from '../kernel/method-kind.js';
import type { HandOn } from '../kernel/decisions.js';
import type { Work } from '../kernel/junction.js';
import type { Origin } from '../kernel/origin.js';
import type { PolicyEnvironment } from '../kernel/policy.js';
import { RetryBudget } from '../kernel/retry-budget/retry-budget.js';
import type { Role } from '../kernel/role.js';
import type { StateKind, Stateful } from '../kernel/state-kind.js';
import { handOnIterable, iterableWork } from '../pipeline/async-iterable.js';
import { callsAreGuarded } from '../pipeline/current-call.js';
import { layered, type Stages } from '../pipeline/layers.js';
import { Plan } from '../pipeline/plan.js';
import { promiseWork, type Body } from '../pipeline/promise-work.js';
import { REFUSAL_DECISION } from '../pipeline/refusal.decision.js';
import { SKIP_DECISION } from '../pipeline/skip.decision.js';
import type { Observe } from '../pipeline/stream.js';
import { kindOf } from '../policies/kinds.js';
import type { BudgetWish } from './budget-wish.js';
import { callNameOf } from './call-name.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import type { Instances } from './instances.js';
import { keepsState, shown, type PlanMode, type PlanStep } from './plan-steps.js';
import type { Target } from './target.js';

/** The work of a method, and how what answers in its place is handed on, by what it gives. */
interface WorkKind {
  readonly work: (body: Body) => Work;
  readonly handOn?: HandOn;
}

/** How Observables are guarded; it lives outside, with rxjs. */
export interface ObservableWork extends WorkKind {
  readonly observe: Observe;
}

/** Where nobody listens. */
const UNHEARD = new EventBus(
  () => 0,
  () => undefined,
);

/** Gives what is run in the place of what a plan guards. @param names those of its policies. */
export type StandIn = (target: Target, names: readonly string[]) => Body;

/** How plans are made for the app. */
export interface PlannerEnvironment extends PolicyEnvironment, PlanMode {
  readonly enabled: boolean;
  /** Whether the running call is known below it. */
  readonly callContext: boolean;
  readonly observables: ObservableWork;
  /** Told of requests that are answered with a last good answer. @default nobody is */
  readonly onStale?: Origin['onStale'];
  /** Set by tests, which script what methods give. @default nothing stands in */
  readonly standIn?: StandIn | undefined;
}

/**
 * Makes policies of a plan: the one place where its data meet instances and an environment.
 *
 * @param mistakes is told of each policy that cannot be made.
 * @throws ResilienceConfigurationError for all mistakes, those of before included.
 */
export function assemble(
  target: Target,
  steps: readonly PlanStep[],
  instances: Instances,
  environment: PlannerEnvironment,
  mistakes: Mistakes,
): Plan {
  const { deadlines } = target;
  // What policies read of the surroundings may change until the app has started: they are not copied.
  const surroundings: PlannerEnvironment =
    deadlines === undefined
      ? environment
      : Object.assign(Object.create(environment) as PlannerEnvironment, { deadlines });
  const made = new Assembly(target, steps, instances, surroundings, mistakes).make();
  mistakes.throwAny(target.instanceName);
  return planOf(target, steps, made, environment);
}

function planOf(
  target: Target,
  steps: readonly PlanStep[],
  made: ReadonlyMap<PlanStep, Role>,
  environment: PlannerEnvironment,
): Plan {
  const { clock, lifecycle, callContext, observables, enabled, events: ofApp } = environment;
  const { className, methodName, kind, signalIndex, response } = target;
  const standIn = environment.standIn?.(target, [...new Set(steps.map(({ name }) => name))]);
  const body = standIn ?? target.body;
  const events = target.exempt === true ? UNHEARD : ofApp;
  const policies = shown(steps);
  const { work, handOn } = workOf(kind, observables);
  const stages: Stages = { ...stagesOf(steps, made), onRefused: refusalsOf(target) };
  const retries = policies.some(({ policy }) => kindOf(policy).repeats === true);
  const { instanceName, idempotency, inner = false, namesInside = [] } = target;
  const callName = callNameOf([...policies.map(({ name }) => name), ...namesInside], instanceName);
  const idempotencyKey =
    idempotency === undefined ? undefined : idempotencyKeyOf(instanceName, idempotency, environment);
  const of = { className, methodName, callName, retries, idempotencyKey, inner, clock, lifecycle, callContext };
  // What nothing guards need not be known.
  const learner = policies.length === 0 ? undefined : target.learner;
  const ends = { endsEarly: enabled, handOn };
  const answers = (steps.length > 0 && kind === undefined) || kind === 'sync';
  if (enabled && policies.length > 0) callsAreGuarded();
  return new Plan({
    target: of,
    kind,
    policies,
    signalIndex,
    response,
    onStale: environment.onStale,
    pipeline: layered(stages, of, work(body), ends),
    events,
    observed: () => layered(stages, of, work(body), ends, { events, kind: kind ?? 'sync' }),
    learner,
    counting:
      learner === undefined ? undefined : layered(stagesOf(steps.filter(keepsState), made), of, promiseWork(body)),
    answering: answers ? layered(stagesOf(steps.filter(answersAtOnce), made), of, promiseWork(body)) : undefined,
    body,
    observe: observables.observe,
  });
}

/** What becomes of refusals, where the target says so. */
function refusalsOf({ answersRefusals, scheduled }: Target): Role | undefined {
  if (answersRefusals === true) return { decision: REFUSAL_DECISION };
  return scheduled === true ? { decision: SKIP_DECISION } : undefined;
}

/** Whether a step can answer for a method that gives its answer at once. */
function answersAtOnce({ policy }: PlanStep): boolean {
  return kindOf(policy).underKillSwitch === 'works';
}

function stagesOf(steps: readonly PlanStep[], made: ReadonlyMap<PlanStep, Role>): Stages {
  return Object.fromEntries(steps.filter((step) => made.has(step)).map((step) => [step.place, made.get(step)]));
}

function workOf(kind: MethodKind, observables: WorkKind): WorkKind {
  if (kind === 'observable') return observables;
  return kind === 'asyncIterable' ? { work: iterableWork, handOn: handOnIterable } : { work: promiseWork };
}

/** Makes the policies of one plan, each once, at the latest when another asks for it. */
class Assembly {
  readonly #made = new Map<PlanStep, MadePolicy>();
  readonly #begun = new Set<PlanStep>();
  readonly #budgets = new Set<RetryBudget>();
  #ownBudget: RetryBudget | undefined;

  constructor(
    private readonly target: Target,
    private readonly steps: readonly PlanStep[],
    private readonly instances: Instances,
    private readonly environment: PolicyEnvironment,
    private readonly mistakes: Mistakes,
  ) {}

  make(): ReadonlyMap<PlanStep, MadePolicy> {
    for (const step of this.steps) this.#make(step);
    return this.#made;
  }

  #make(step: PlanStep): MadePolicy | undefined {
    if (this.#begun.has(step)) return this.#made.get(step);
    this.#begun.add(step);
    const kind = kindOf(step.policy);
    this.mistakes.in(() => {
      if (step.idle && kind.state !== undefined) this.#stateOf(step, kind.state);
      else this.#made.set(step, kind.make(step, this.#makingOf(step)));
    });
    return this.#made.get(step);
  }

  #makingOf(step: PlanStep): Making {
    const judge = (): MadePolicy | undefined => this.#judge();
    return {
      environment: this.environment,
      target: this.target,
      attemptLimit: this.steps.find(({ attemptLimit }) => attemptLimit !== undefined)?.attemptLimit,
      get judge() {
        return judge()?.judge;
      },
      get witness() {
        return judge()?.witness;
      },
      state: (kind) => this.#stateOf(step, kind),
      budget: () => {
        const budget = step.budget === undefined ? undefined : this.#budgetOf(step.budget);
        const isFirst = budget !== undefined && !this.#budgets.has(budget);
        if (budget !== undefined) this.#budgets.add(budget);
        return { budget, isFirst };
      },
    };
  }

  #judge(): MadePolicy | undefined {
    const step = this.steps.find(({ policy, idle }) => kindOf(policy).judges === true && !idle);
    return step === undefined ? undefined : this.#make(step);
  }

  #stateOf<S extends Stateful>({ name, options, ruling }: PlanStep, kind: StateKind<S>): S {
    return this.instances.state(kind, name, options, ruling);
  }

  /** @throws ResilienceConfigurationError when others define the same budget otherwise. */
  #budgetOf({ name, declared, options }: BudgetWish): RetryBudget {
    if (name !== undefined) return this.instances.retryBudget(name, declared);
    const { budgets } = this.target;
    if (budgets !== 'own' && budgets !== undefined) return budgets.of(options);
    // A set without a name has one of its own, for its retries and hedges.
    if (this.#ownBudget === undefined) this.#ownBudget = new RetryBudget(options, this.environment.clock.now());
    else if (declared !== undefined) this.#ownBudget.configure(options);
    return this.#ownBudget;
  }
}
