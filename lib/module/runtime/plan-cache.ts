import type { AnyClass, GuardedMethod } from '../../pipeline/guarded-method.js';
import type { Plan } from '../../pipeline/plan.js';
import type { PolicySet } from '../../policies/policy-set.js';

/** A plan in use and how it is made anew. */
export interface PlanInUse {
  readonly plan: Plan;
  make(): Plan;
  /** Lets the next call make it anew. */
  forget(): void;
}

interface Made {
  readonly plan: Plan;
  readonly make: () => Plan;
  readonly generation?: number;
}

/** The plans of an app, each made when it is first asked for. */
export class PlanCache {
  readonly #methods = new Map<AnyClass, Map<GuardedMethod, Plan>>();
  readonly #handlers = new Map<AnyClass, Map<AnyClass, Map<string, Made>>>();
  readonly #names = new Map<string, Made>();
  #sets = new WeakMap<PolicySet, Made>();
  #generation = 0;
  /** The last set of each name that code has given as an object, since nobody else knows them. */
  readonly #adHoc = new Map<string, { readonly set: PolicySet; readonly make: () => Plan }>();

  /** @param make how the plan of a method is made. */
  constructor(private readonly make: (method: GuardedMethod, concrete: AnyClass) => Plan) {}

  /** The plans of a class; the same object each time, so that instances can keep it. */
  ofClass(concrete: AnyClass): Map<GuardedMethod, Plan> {
    return getOrMake(this.#methods, concrete, () => new Map<GuardedMethod, Plan>());
  }

  ofMethod(method: GuardedMethod, concrete: AnyClass): Plan {
    return getOrMake(this.ofClass(concrete), method, () => this.make(method, concrete));
  }

  /** Puts another plan in the place of the one that is in use. */
  replace(method: GuardedMethod, concrete: AnyClass, plan: Plan): void {
    this.ofClass(concrete).set(method, plan);
    method.recent = undefined;
  }

  ofHandler(controller: AnyClass, interceptor: AnyClass, methodName: string, make: () => Plan): Plan {
    const ofController = getOrMake(this.#handlers, controller, () => new Map<AnyClass, Map<string, Made>>());
    const ofInterceptor = getOrMake(ofController, interceptor, () => new Map<string, Made>());
    return getOrMake(ofInterceptor, methodName, () => ({ plan: make(), make })).plan;
  }

  ofSet(set: string | PolicySet, make: () => Plan): Plan {
    if (typeof set === 'string') return getOrMake(this.#names, set, () => ({ plan: make(), make })).plan;
    const known = this.#sets.get(set);
    if (known !== undefined && (set.name === undefined || known.generation === this.#generation)) return known.plan;
    const made = { plan: make(), make, generation: this.#generation };
    this.#sets.set(set, made);
    if (set.name !== undefined) this.#adHoc.set(set.name, { set, make });
    return made.plan;
  }

  /** The names of the sets that code has given as objects. */
  get adHocNames(): string[] {
    return [...this.#adHoc.keys()];
  }

  /** Every plan that there is, but those of sets without a name. */
  *inUse(): Generator<PlanInUse> {
    for (const [concrete, plans] of this.#methods) {
      for (const [method, plan] of [...plans]) {
        const forget = (): void => {
          plans.delete(method);
          method.recent = undefined;
        };
        yield { plan, make: () => this.make(method, concrete), forget };
      }
    }
    for (const ofController of this.#handlers.values())
      for (const ofInterceptor of ofController.values())
        for (const [name, made] of [...ofInterceptor]) yield { ...made, forget: () => ofInterceptor.delete(name) };
    for (const [name, made] of [...this.#names]) yield { ...made, forget: () => this.#names.delete(name) };
    for (const { set, make } of this.#adHoc.values()) {
      const made = this.#sets.get(set);
      if (made !== undefined) yield { plan: made.plan, make, forget: () => this.forgetAdHoc() };
    }
  }

  /** Lets the plans of sets that have a name, but that code has given as objects, be made anew. */
  forgetAdHoc(): void {
    this.#generation++;
  }

  /** Methods outlive the app: none may hold on to a plan of it. */
  forgetRecent(): void {
    for (const plans of this.#methods.values())
      for (const method of plans.keys()) if (method.recent?.plans === plans) method.recent = undefined;
  }

  /** Lets every plan be made anew. */
  clear(): void {
    this.forgetRecent();
    for (const plans of this.#methods.values()) plans.clear();
    this.#handlers.clear();
    this.#names.clear();
    this.#sets = new WeakMap();
    this.#adHoc.clear();
  }
}

function getOrMake<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const value = known.get(key);
  if (value !== undefined) return value;
  const made = make();
  known.set(key, made);
  return made;
}
