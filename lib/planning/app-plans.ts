import { nameOf } from '../guarded/class-names.js';
import type { AnyClass, AnyFunction, GuardedMethod } from '../guarded/guarded-method.js';
import { methodOf } from '../guarded/declaration-of.js';
import { DeadlineQueues } from '../kernel/deadline-queues.js';
import type { Plan } from '../pipeline/plan.js';
import type { PlannerEnvironment } from './assemble.js';
import { AdHocNames } from './cache/ad-hoc-names.js';
import { PlanCache } from './cache/plan-cache.js';
import { SetPlans } from './cache/set-plans.js';
import { SharedBudgets } from './cache/shared-budgets.js';
import { Instances } from './instances.js';
import { LearnedKinds } from './learned-kinds.js';
import type { HandlerFacts } from './lint/handler-facts.js';
import { LINT_ALL, type LintSettings } from './lint/lint-options.js';
import { OwnState, type KnownInstances } from './own-state.js';
import { Planner, type PlannedApp } from './planner.js';
import { PolicySets } from './policy-sets.js';
import { NO_DEFINITIONS, type NamedDefinitions } from './resolution.js';
import { NO_RULES, type RuleLayer } from './rule-layer.js';
import { makeSetPlan } from './set-plan.js';
import { StateOwners, type StateOwner } from './state-owners.js';

/** What is known of the classes of an app. */
export interface KnownClasses extends KnownInstances {
  readonly classes: readonly { readonly type: AnyClass }[];
  /** The options that their decorators declare under a name. */
  readonly definitions: NamedDefinitions;
  /** The name of a class, where another one of the app has the same. */
  labelOf(type: AnyClass): string | undefined;
}

/** An interceptor of ours before a handler. */
export interface Interception {
  readonly type: AnyClass;
  readonly methodName: string;
  readonly interceptor: object & { planFor(type: AnyClass, methodName: string): Plan };
}

/** What planning asks of, and tells, whoever runs the app. */
export interface PlanningHost {
  /** Whether an HTTP client waits for the answer of a method. */
  isHttpHandler(wrapper: AnyFunction): boolean;
  /** What calls a method from outside; undefined: nothing does. */
  handlerOf(method: AnyFunction): HandlerFacts | undefined;
  /** Whether a scheduler calls a method. */
  isScheduled(wrapper: AnyFunction): boolean;
  warn(text: string): void;
  /** `execute()` was given more names than there is room for. */
  manyNames(most: number): void;
}

/** All plans of one app, and what they are made from: policy sets, its classes, rules, and what keeps state. */
export class AppPlans {
  readonly instances: Instances;
  readonly sets = new PolicySets();
  /** What methods have turned out to give that do not say so. */
  readonly kinds: LearnedKinds;
  /** Whose state the methods of an instance work on. */
  readonly ownState: OwnState;
  /** The plans in use. */
  readonly plans: PlanCache;
  /** The interceptors of ours before the app's handlers, in the order in which they run. */
  interceptions: readonly Interception[] = [];
  /** What is looked for in plans. */
  lint: LintSettings = LINT_ALL;
  readonly #owners: StateOwners;
  readonly #adHocNames: AdHocNames;
  readonly #labelled = new Map<string, AnyClass>();
  #known: KnownClasses | undefined;
  #planner: Planner;

  constructor(
    private readonly environment: PlannerEnvironment,
    private readonly host: PlanningHost,
  ) {
    this.instances = new Instances(environment);
    this.kinds = new LearnedKinds((text) => host.warn(text));
    this.#owners = new StateOwners((name) => this.instances.release(name));
    this.#planner = new Planner(this.#planned(), NO_RULES, this.instances);
    this.#adHocNames = new AdHocNames({
      lossWith: (name) => this.instances.lossWith(name),
      release: (name) => this.instances.release(name),
      others: () => this.#declaredNames(),
      tell: (most) => host.manyNames(most),
    });
    const planner = (): Planner => this.#planner;
    this.plans = new PlanCache(planner, this.#owners, this.#adHocNames, this.#setPlans());
    const known = (): KnownClasses | undefined => this.#known;
    this.ownState = new OwnState({ planner, isLenient: () => environment.lenient, known }, this.#owners);
  }

  /** What calls a method of the app from outside. */
  handlerOf(type: AnyClass, methodName: string): HandlerFacts | undefined {
    const method = methodOf(type, methodName);
    return method === undefined ? undefined : this.host.handlerOf(method);
  }

  /** Makes plans by the rules in force. */
  get planner(): Planner {
    return this.#planner;
  }

  /** The app's classes with guarded methods. */
  get classes(): readonly AnyClass[] {
    return this.#known?.classes.map(({ type }) => type) ?? [];
  }

  /** The classes whose methods are guarded, those of modules that were loaded since the start included once they are used. */
  guardedClasses(): AnyClass[] {
    const late = this.#owners.all().map(({ concrete }) => concrete);
    return [...new Set([...this.classes, ...late])];
  }

  /** Learns which classes the app has. */
  attach(classes: KnownClasses): void {
    this.#known = classes;
    this.forget();
  }

  /** Lets plans be made anew, after what they are made from has changed. */
  forget(): void {
    this.ownState.forget();
    this.plans.clear();
  }

  /** Forgets all state, and who owns it. */
  clear(): void {
    this.instances.clear();
    this.#owners.clear();
    this.forget();
  }

  /** Lets everything that keeps state begin anew; who owns it stays known. */
  reset(): void {
    this.instances.reset();
    this.kinds.clear();
    this.forget();
  }

  /** The plans of a class; the same object each time, so that instances can keep it. */
  plansOf(concrete: AnyClass): Map<GuardedMethod, Plan> {
    return this.plans.ofClass(concrete);
  }

  /** The plan of a method for instances of `concrete`, or for one of them. @throws ResilienceConfigurationError */
  plan(method: GuardedMethod, concrete: AnyClass, owner?: StateOwner): Plan {
    // No instance may come upon a plan of its class where it is to have its own.
    const blank = owner === undefined && this.ownState.placeOf(concrete) !== undefined;
    return this.plans.ofMethod(method, concrete, blank ? this.#owners.blankOf(concrete) : owner);
  }

  /** The instances of a class that have state of their own, as far as they are known. */
  ownersOf(concrete: AnyClass): StateOwner[] {
    return this.#owners.ofClass(concrete);
  }

  /**
   * Whether an interceptor of ours stands before a handler, and does something.
   *
   * @param before looks only at those that run before this one.
   */
  isIntercepted(type: AnyClass, methodName: string, before?: object): boolean {
    for (const one of this.interceptions) {
      if (one.type !== type || one.methodName !== methodName) continue;
      if (one.interceptor === before) return false;
      if (one.interceptor.planFor(type, methodName).policies.length > 0) return true;
    }
    return false;
  }

  /** The names that rules can speak of: of sets, and of what decorators share. */
  get names(): string[] {
    return [...new Set([...this.sets.names(), ...this.#definitions.names(), ...this.#adHocNames.names()])];
  }

  /** Plans follow `rules` from now on; those that differ are to be forgotten. */
  adoptRules(rules: RuleLayer): void {
    this.#planner = this.#planner.under(rules, this.instances);
    this.ownState.forget();
  }

  /** A planner by other rules whose plans keep all state in `instances`: what is in use is not touched. */
  rehearsal(rules: RuleLayer): { planner: Planner; instances: Instances } {
    const instances = new Instances(this.environment);
    return { planner: this.#planner.under(rules, instances), instances };
  }

  /** Whether code has given a name to `execute()` with a set of its own: of such names there may be any number. */
  isAdHoc(name: string): boolean {
    return this.#adHocNames.get(name) !== undefined;
  }

  /** The name by which a class is shown; no two classes share one. */
  labelOf(concrete: AnyClass): string {
    const wanted = this.#known?.labelOf(concrete) ?? nameOf(concrete);
    let label = wanted;
    for (let copy = 2; (this.#labelled.get(label) ?? concrete) !== concrete; copy++) label = `${wanted}#${copy}`;
    this.#labelled.set(label, concrete);
    return label;
  }

  get #definitions(): NamedDefinitions {
    return this.#known?.definitions ?? NO_DEFINITIONS;
  }

  /** The names by which anything but a set of `execute()` keeps state. */
  #declaredNames(): ReadonlySet<string> {
    const planned = [...this.plans.declared()].flatMap(({ plan }) => plan.policies.map(({ name }) => name));
    return new Set([...planned, ...this.sets.names(), ...this.#definitions.names()]);
  }

  #planned(): PlannedApp {
    const { sets, environment, kinds, host } = this;
    return {
      sets,
      environment,
      definitions: () => this.#definitions,
      labelOf: (concrete) => this.labelOf(concrete),
      isIntercepted: (concrete, methodName) => this.isIntercepted(concrete, methodName),
      isHttpHandler: (wrapper) => host.isHttpHandler(wrapper),
      isScheduled: (wrapper) => host.isScheduled(wrapper),
      lessons: {
        kindOf: (method, concrete) => kinds.kindOf(method, concrete),
        pass: (method, concrete, place, reason) => kinds.pass(method, concrete, place, reason),
        learn: (method, concrete, owner, kind) => {
          // A call inside the first one has learned it already.
          const known = this.plans.ofMethod(method, concrete, owner);
          if (known.kind === kind) return known;
          const plan = this.#planner.plan(method, concrete, owner, kind);
          kinds.learn(method, concrete, kind);
          this.plans.replace(method, concrete, plan, owner);
          return plan;
        },
      },
    };
  }

  #setPlans(): SetPlans {
    const deadlines = new DeadlineQueues(this.environment);
    return new SetPlans({
      planner: () => this.#planner,
      names: this.#adHocNames,
      sharedBudgets: new SharedBudgets(this.environment.clock),
      make: (planner, set, budgets) => makeSetPlan(planner, set, { budgets, deadlines }),
    });
  }
}
