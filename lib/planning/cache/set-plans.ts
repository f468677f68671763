import type { Plan } from '../../pipeline/plan.js';
import type { PolicySet } from '../../policies/policy-set.js';
import type { Planner } from '../planner.js';
import type { NamelessBudgets } from '../target.js';
import type { AdHocName, AdHocNames } from './ad-hoc-names.js';
import { digestOf, type SetDigest } from './set-digest.js';
import { Shelf } from './shelf.js';

/** How many plans of sets without a name are kept at least. */
const NAMELESS_PLANS = 500;
/** How many of them have a budget of their own; sets that are so many differ from call to call, and share one. */
const OWN_BUDGETS = 100;

/** What is needed to make the plan of a set. */
export interface SetPlanMaker {
  /** Makes plans by the rules in force. */
  planner(): Planner;
  /** Makes a plan; `budgets`: where a set without a name finds its budget. */
  make(planner: Planner, set: PolicySet, budgets: NamelessBudgets | undefined): Plan;
  /** The budgets of the app for the sets that have none of their own. */
  readonly sharedBudgets: NamelessBudgets;
  /** Forgets the state of a name that nobody but `execute()` knows. */
  readonly names: AdHocNames;
}

interface Made {
  readonly plan: Plan;
  readonly generation: number;
  readonly name: AdHocName | undefined;
}

/** The plans of the sets that `execute()` is given as objects. Equal ones share a plan, however often they are written. */
export class SetPlans {
  readonly #byObject = new WeakMap<object, Made>();
  readonly #maker: SetPlanMaker;
  #nameless = new Shelf<Made>(NAMELESS_PLANS);
  #ownBudgets = 0;
  #generation = 0;

  constructor(maker: SetPlanMaker) {
    this.#maker = maker;
  }

  of(set: PolicySet): Plan {
    const known = this.#byObject.get(set);
    if (known !== undefined && this.#holds(known)) return this.#use(known);
    const digest = digestOf(set);
    const shelf = set.name === undefined ? this.#nameless : this.#maker.names.get(set.name)?.plans;
    const equal = shelf?.get(digest) as Made | undefined;
    if (equal !== undefined && this.#holds(equal)) return this.#use(equal);
    const made = this.#make(set, digest);
    // An object that is made for each call never comes again, and has an equal before it.
    if (equal === undefined || known !== undefined) this.#byObject.set(set, made);
    return made.plan;
  }

  /** Lets every plan be made anew. */
  forget(): void {
    this.#generation++;
    this.#nameless = new Shelf(NAMELESS_PLANS);
  }

  #holds({ generation, name }: Made): boolean {
    return generation === this.#generation && name?.gone !== true;
  }

  #use({ plan, name }: Made): Plan {
    if (name !== undefined) this.#maker.names.use(name);
    return plan;
  }

  #make(set: PolicySet, digest: SetDigest): Made {
    const { names } = this.#maker;
    const planner = this.#maker.planner();
    const generation = this.#generation;
    if (set.name === undefined) {
      const made = { plan: this.#maker.make(planner, set, this.#budgetsOf(digest)), generation, name: undefined };
      this.#nameless.put(digest, made);
      return made;
    }
    const make = (one: Planner): Plan => this.#maker.make(one, set, undefined);
    const plan = make(planner);
    const name = names.enter(set.name, plan, make);
    const made = { plan, generation, name };
    name.plans.put(digest, made);
    return made;
  }

  /** A set with a function of its own may be another at each call: those share what the app has. */
  #budgetsOf({ parts }: SetDigest): NamelessBudgets {
    if (parts.length > 0 || this.#ownBudgets >= OWN_BUDGETS) return this.#maker.sharedBudgets;
    this.#ownBudgets++;
    return 'own';
  }
}
