import type { AnyClass, GuardedMethod } from '../../guarded/guarded-method.js';
import type { Plan } from '../../pipeline/plan.js';
import type { PolicySet } from '../../policies/policy-set.js';
import type { Planner } from '../planner.js';
import type { AdHocNames } from './ad-hoc-names.js';
import type { SetPlans } from './set-plans.js';
import { forgetRecent, type StateOwner, type StateOwners } from '../state-owners.js';

/** A plan in use and how it is made anew. */
export interface PlanInUse {
  readonly plan: Plan;
  make(planner: Planner): Plan;
  /** Lets the next call make it anew. */
  forget(): void;
}

interface Made {
  readonly plan: Plan;
  readonly make: MakePlan;
}

/** Makes a plan, by the rules in force or by others. */
export type MakePlan = (planner: Planner) => Plan;

/** The plans of an app, each made when it is first asked for. */
export class PlanCache {
  readonly #methods = new Map<AnyClass, Map<GuardedMethod, Plan>>();
  readonly #handlers = new Map<AnyClass, Map<AnyClass, Map<string, Made>>>();
  readonly #names = new Map<string, Made>();

  constructor(
    /** Makes plans by the rules in force. */
    private readonly planner: () => Planner,
    private readonly owners: StateOwners,
    private readonly adHocNames: AdHocNames,
    private readonly sets: SetPlans,
  ) {}

  /** The plans of a class; the same object each time, so that instances can keep it. */
  ofClass(concrete: AnyClass): Map<GuardedMethod, Plan> {
    return getOrMake(this.#methods, concrete, () => new Map<GuardedMethod, Plan>());
  }

  ofMethod(method: GuardedMethod, concrete: AnyClass, owner?: StateOwner): Plan {
    const plans = owner?.plans ?? this.ofClass(concrete);
    return getOrMake(plans, method, () => this.planner().plan(method, concrete, owner));
  }

  /** Puts another plan in the place of the one that is in use. */
  replace(method: GuardedMethod, concrete: AnyClass, plan: Plan, owner?: StateOwner): void {
    (owner?.plans ?? this.ofClass(concrete)).set(method, plan);
    method.recent = undefined;
  }

  ofHandler(controller: AnyClass, interceptor: AnyClass, methodName: string, make: MakePlan): Plan {
    const ofController = getOrMake(this.#handlers, controller, () => new Map<AnyClass, Map<string, Made>>());
    const ofInterceptor = getOrMake(ofController, interceptor, () => new Map<string, Made>());
    return getOrMake(ofInterceptor, methodName, () => ({ plan: make(this.planner()), make })).plan;
  }

  /** The plan of a set of `policies`. */
  ofName(name: string, make: MakePlan): Plan {
    return getOrMake(this.#names, name, () => ({ plan: make(this.planner()), make })).plan;
  }

  /** The plan of a set that code gives. */
  ofSet(set: PolicySet): Plan {
    return this.sets.of(set);
  }

  /** Every plan that there is, but those of sets without a name. */
  *inUse(): Generator<PlanInUse> {
    yield* this.declared();
    for (const { plan, make } of this.adHocNames.values()) yield { plan, make, forget: () => this.sets.forget() };
  }

  /** The plans of methods, handlers and the sets of `policies`. */
  *declared(): Generator<PlanInUse> {
    for (const [concrete, plans] of this.#methods) yield* this.#ofMethods(plans, concrete);
    for (const owner of this.owners.all()) yield* this.#ofMethods(owner.plans, owner.concrete, owner);
    for (const ofController of this.#handlers.values())
      for (const ofInterceptor of ofController.values())
        for (const [name, made] of [...ofInterceptor]) yield { ...made, forget: () => ofInterceptor.delete(name) };
    for (const [name, made] of [...this.#names]) yield { ...made, forget: () => this.#names.delete(name) };
  }

  *#ofMethods(plans: Map<GuardedMethod, Plan>, concrete: AnyClass, owner?: StateOwner): Generator<PlanInUse> {
    for (const [method, plan] of [...plans]) {
      const forget = (): void => {
        plans.delete(method);
        method.recent = undefined;
      };
      yield { plan, make: (planner) => planner.plan(method, concrete, owner), forget };
    }
  }

  /** Lets the plans of sets that code has given be made anew. */
  forgetSets(): void {
    this.sets.forget();
  }

  /** Methods outlive the app: none may hold on to a plan of it. */
  forgetRecent(): void {
    for (const plans of this.#methods.values()) forgetRecent(plans);
    for (const { plans } of this.owners.all()) forgetRecent(plans);
  }

  /** Lets every plan be made anew. */
  clear(): void {
    this.forgetRecent();
    for (const plans of this.#methods.values()) plans.clear();
    for (const { plans } of this.owners.all()) plans.clear();
    this.#handlers.clear();
    this.#names.clear();
    this.sets.forget();
    this.adHocNames.clear();
  }
}

function getOrMake<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const value = known.get(key);
  if (value !== undefined) return value;
  const made = make();
  known.set(key, made);
  return made;
}
