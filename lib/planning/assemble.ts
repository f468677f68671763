import type { Mistakes } from '../errors/configuration.error.js';
import type { Next } from '../kernel/call.js';
import type { MethodKind } from '../kernel/method-kind.js';
import type { Judge, MadePolicy, Making, Witness } from '../kernel/making.js';
import type { Policy, PolicyEnvironment } from '../kernel/policy.js';
import { RetryBudget } from '../kernel/retry-budget/retry-budget.js';
import type { StateKind, Stateful } from '../kernel/state-kind.js';
import { answeringIterable, iterableStage } from '../pipeline/async-iterable.js';
import type { PipelineCall } from '../pipeline/call.js';
import { compose, type Stages } from '../pipeline/compose.js';
import { Plan, type PlanInit } from '../pipeline/plan.js';
import { REFUSAL_HANDLER } from '../pipeline/refusal-handler.js';
import { bookedStage, promiseStage, type Body } from '../pipeline/stages.js';
import type { FallbackPolicy } from '../policies/fallback/fallback.policy.js';
import { kindOf } from '../policies/kinds.js';
import type { RecoverPolicy } from '../policies/recover/recover.policy.js';
import type { BudgetWish } from './budget-wish.js';
import type { Instances } from './instances.js';
import { keepsState, shown, type PlanMode, type PlanStep } from './plan-steps.js';
import type { Target } from './target.js';

/** How a pipeline ends, and how a fallback answers in it, for what a method gives. */
interface End {
  readonly end: (body: Body) => (call: PipelineCall) => Promise<unknown>;
  readonly answering: (policy: Policy) => Policy;
}

/** How Observables are guarded; it lives outside, with rxjs. */
export interface ObservableEnd extends End {
  readonly observe: PlanInit['observe'];
}

/** How plans are made for the app. */
export interface PlannerEnvironment extends PolicyEnvironment, PlanMode {
  readonly enabled: boolean;
  /** Whether the running call is known below it. */
  readonly callContext: boolean;
  readonly observables: ObservableEnd;
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
    deadlines === undefined ? environment : (Object.create(environment, { deadlines: { value: deadlines } }) as never);
  const made = new Assembly(target, steps, instances, surroundings, mistakes).make();
  mistakes.throwAny(target.instanceName);
  return planOf(target, steps, made, environment);
}

function planOf(
  target: Target,
  steps: readonly PlanStep[],
  made: ReadonlyMap<PlanStep, Policy>,
  { clock, lifecycle, callContext, observables }: PlannerEnvironment,
): Plan {
  const { className, methodName, kind, signalIndex, body } = target;
  const policies = shown(steps);
  const stages = stagesOf(steps, made);
  const { recover, fallback } = stages;
  const { end, answering } = endOf(kind, observables);
  // What nothing guards need not be known.
  const learner = policies.length === 0 ? undefined : target.learner;
  const counting = stagesOf(steps.filter(keepsState), made);
  const whole: Stages = {
    ...stages,
    ...(fallback === undefined ? {} : { fallback: answering(fallback) }),
    ...(target.answersRefusals === true ? { onRefused: REFUSAL_HANDLER } : {}),
  };
  return new Plan({
    className,
    methodName,
    kind,
    clock,
    lifecycle,
    callContext,
    policies,
    signalIndex,
    run: compose(whole, end(body) as Next),
    learner,
    count: learner === undefined ? undefined : compose(counting, bookedStage as Next),
    body,
    recover: recover as RecoverPolicy | undefined,
    fallback: fallback as FallbackPolicy | undefined,
    observe: observables.observe,
  });
}

function stagesOf(steps: readonly PlanStep[], made: ReadonlyMap<PlanStep, Policy>): Stages {
  return Object.fromEntries(steps.filter((step) => made.has(step)).map((step) => [step.place, made.get(step)]));
}

function endOf(kind: MethodKind, observables: End): End {
  if (kind === 'observable') return observables;
  return kind === 'asyncIterable'
    ? { end: iterableStage, answering: answeringIterable }
    : { end: promiseStage, answering: (policy) => policy };
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
        const made = judge();
        return isJudge(made) ? made : undefined;
      },
      get witness() {
        const made = judge();
        return isWitness(made) ? made : undefined;
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

function isJudge(policy: MadePolicy | undefined): policy is MadePolicy & Judge {
  return policy?.isClosedFor !== undefined;
}

function isWitness(policy: MadePolicy | undefined): policy is MadePolicy & Witness {
  return policy?.fellBack !== undefined;
}
