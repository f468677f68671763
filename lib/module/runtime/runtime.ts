import { Mistakes, ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { stackOf } from '../../errors/foreign.js';
import { EventBus } from '../../events/event-bus.js';
import { enableCallContext } from '../../pipeline/current-call.js';
import { guardedLineage, recordOf, signalIndexOf } from '../../guarded/guarded-classes.js';
import {
  describePassed,
  isDecoratedItself,
  nothingDeclared,
  type AnyClass,
  type Declared,
  type GuardedMethod,
} from '../../guarded/guarded-method.js';
import type { Learner, Plan } from '../../pipeline/plan.js';
import { orGiven, type Body } from '../../pipeline/promise-work.js';
import { systemClock } from '../../kernel/clock.js';
import { DeadlineQueues } from '../../kernel/deadline-queues.js';
import { textOf } from '../../kernel/error-text.js';
import { Lifecycle } from '../../kernel/policy.js';
import { STATEFUL, type PolicySet, type Returns } from '../../policies/policy-set.js';
import type { Ingress } from '../../policies/system-protection/ingress.js';
import { CarefulLogger } from '../event-log/careful-logger.js';
import { EventLog, type EventLogSetting } from '../event-log/event-log.js';
import { ofRecovered } from '../event-log/recovered.js';
import { Repeats } from '../event-log/repeats.js';
import type { Catalog, CataloguedClass } from '../start-up/catalog.js';
import { checkFallbackMethods } from '../../planning/check-fallback-methods.js';
import { AdHocNames } from './ad-hoc-names.js';
import { nameOf } from './class-names.js';
import { Instances } from '../../planning/instances.js';
import { LearnedKinds } from './learned-kinds.js';
import { PACKAGE_COPY } from '../tokens.js';
import { PACKAGE_PATH } from './package-copy.js';
import { PlanCache } from './plan-cache.js';
import { makeSetPlan } from './set-plan.js';
import { SetPlans } from './set-plans.js';
import { SharedBudgets } from './shared-budgets.js';
import { StateOwners, type StateOwner } from './state-owners.js';
import { buildPlan, type PlannerEnvironment, type Target } from '../../planning/planner.js';
import { NO_RULES, type RuleLayer } from '../../planning/rule-layer.js';
import { PolicySets } from '../../planning/policy-sets.js';
import { Resolver, type NamedDefinitions, type Resolution } from '../../planning/resolver.js';

const REPORT_EVERY_MS = 60_000;
/** From so many places on those that may be told of again are forgotten. */
const MAX_REPORTED = 1_000;
const NO_DEFINITIONS: NamedDefinitions = { find: () => undefined, names: () => [] };

/** An interceptor of ours before a handler. */
export interface Interception {
  readonly type: AnyClass;
  readonly methodName: string;
  readonly interceptor: object & { planFor(type: AnyClass, methodName: string): Plan };
}

/** What the module's options mean for the runtime. */
export interface RuntimeOptions {
  readonly policies?: Readonly<Record<string, PolicySet>> | undefined;
  readonly enabled?: boolean | undefined;
  readonly callContext?: boolean | undefined;
  readonly log?: EventLogSetting | undefined;
}

/**
 * Everything that the guarded methods of one app share: policy sets, stateful instances, events. It is the provider
 * that guarded instances are given, so it depends on nothing; options are attached to it from outside.
 */
export class Runtime {
  readonly #brand = true;
  readonly [PACKAGE_COPY] = PACKAGE_PATH;
  readonly #logger = new CarefulLogger();
  readonly #reportedAt = new Map<string, number>();
  /** What is said again and again. */
  readonly #repeats: Repeats;
  readonly #eventLog: EventLog;
  #unlog: (() => void) | undefined;
  #rules: RuleLayer = NO_RULES;
  /** Where plans find what keeps state while they are only rehearsed. */
  #rehearsal: Instances | undefined;
  #configured = false;
  readonly #labelled = new Map<string, AnyClass>();
  readonly #sets = new PolicySets();
  #catalog: Catalog | undefined;
  #callContext = false;
  #enabled = process.env.BULWARK_DISABLED !== '1';

  readonly environment: PlannerEnvironment;
  readonly lifecycle = new Lifecycle();
  readonly instances: Instances;
  /** What methods have turned out to give that do not say so. */
  readonly kinds = new LearnedKinds();
  /** The instances that have state of their own. */
  readonly #owners: StateOwners;
  /** For each class with guarded methods where it says that its instances have state of their own, if it does. */
  readonly #ownStatePlaces = new Map<AnyClass, string | false>();
  readonly #adHocNames: AdHocNames;
  /** The plans of the app. */
  readonly plans: PlanCache;
  /** The interceptors of ours before the app's handlers, in the order in which they run. */
  interceptions: readonly Interception[] = [];
  /** What is wrong with the options; it is told when the app starts, or by the first call before that. */
  readonly mistakes = new Mistakes();
  /** What decides on incoming requests, if the options want that. */
  ingress: Ingress | undefined;
  /** Whether what changes is logged. */
  logs = false;

  /** @param standalone for a class used without the module: what the module would have given is left out. */
  constructor(readonly standalone = false) {
    const clock = systemClock;
    const report = (place: string, error: unknown): void => this.#report(place, error);
    const runtime = this as Runtime;
    const repeats = new Repeats(clock, this.#logger);
    this.#repeats = repeats;
    this.#eventLog = new EventLog(repeats, this.#logger, clock);
    this.environment = {
      clock,
      random: Math.random,
      lifecycle: this.lifecycle,
      events: new EventBus(
        () => clock.wallNow(),
        (error) => report('a listener of events', error),
      ),
      reportCallback: report,
      logRecovered: (place, error) => repeats.say(ofRecovered(place, error)),
      get enabled() {
        return runtime.#enabled;
      },
      get callContext() {
        return runtime.#callContext;
      },
      get lenient() {
        return runtime.#isLenient();
      },
    };
    this.instances = new Instances(this.environment);
    this.#owners = new StateOwners((name) => this.instances.release(name));
    const names = new AdHocNames({
      lossWith: (name) => this.instances.lossWith(name),
      release: (name) => this.instances.release(name),
      others: () => this.#declaredNames(),
      tell: (most) => this.#tellOfNames(most),
    });
    const sets = new SetPlans({
      names,
      sharedBudgets: new SharedBudgets(clock),
      make: (set, budgets) => makeSetPlan(this, set, { budgets, deadlines }),
    });
    const deadlines = new DeadlineQueues(this.environment);
    this.#adHocNames = names;
    this.plans = new PlanCache((...what) => this.#makePlan(...what), this.#owners, names, sets);
  }

  /** Whether `value` is one: an auto-mocked provider has every property, but not this one. */
  static is(value: unknown): value is Runtime {
    return typeof value === 'object' && value !== null && #brand in value;
  }

  get events(): EventBus {
    return this.environment.events;
  }

  get sets(): PolicySets {
    return this.#sets;
  }

  /** Takes the module's options. @throws ResilienceConfigurationError */
  configure({ policies, enabled, callContext, log = 'changes' }: RuntimeOptions): void {
    // Calls that came before the options ran under the decorators alone; what they left behind is forgotten.
    this.instances.clear();
    this.#owners.clear();
    this.#configured = true;
    if (enabled === false) this.#enabled = false;
    if (callContext === true) {
      enableCallContext();
      this.#callContext = true;
    }
    this.#unlog?.();
    // A wrong option is told at the start.
    this.logs = log !== false;
    this.#unlog = this.logs ? this.#eventLog.listen(this.events, log === 'all' ? 'all' : 'changes') : undefined;
    this.forgetPlans();
    if (policies !== undefined) this.#sets.add('policies', policies);
  }

  /** Adds policy sets to those of the options. @throws ResilienceConfigurationError */
  addPolicies(place: string, policies: Readonly<Record<string, PolicySet>>): void {
    this.forgetPlans();
    this.#sets.add(place, policies);
  }

  /** The app's classes with guarded methods. */
  get classes(): readonly CataloguedClass[] {
    return this.#catalog?.classes ?? [];
  }

  /** The classes whose methods are guarded, those of modules that were loaded since the start included once they are used. */
  guardedClasses(): AnyClass[] {
    const late = [...this.#owners.all()].map(({ concrete }) => concrete);
    return [...new Set([...this.classes.map(({ type }) => type), ...late])];
  }

  /** Learns which classes the app has. */
  attach(catalog: Catalog): void {
    this.#catalog = catalog;
    this.forgetPlans();
  }

  /** Lets plans be made anew, after what they are made from has changed. */
  forgetPlans(): void {
    this.#ownStatePlaces.clear();
    this.plans.clear();
  }

  /** The plans of a class; the same object each time, so that instances can keep it. */
  plansOf(concrete: AnyClass): Map<GuardedMethod, Plan> {
    return this.plans.ofClass(concrete);
  }

  /** The plan of a method for instances of `concrete`, or for one of them. @throws ResilienceConfigurationError */
  plan(method: GuardedMethod, concrete: AnyClass, owner?: StateOwner): Plan {
    // No instance may come upon a plan of its class where it is to have its own.
    const blank = owner === undefined && this.ownStatePlace(concrete) !== undefined;
    return this.plans.ofMethod(method, concrete, blank ? this.#owners.blankOf(concrete) : owner);
  }

  /**
   * Whose state the methods of `instance` work on: its own, or undefined for that of its class.
   *
   * @param perCall whether it is known to be made anew for requests or for whoever asks.
   * @throws ResilienceConfigurationError for an instance that will not stay, and is to have state of its own.
   */
  ownerOf(instance: unknown, concrete: AnyClass, perCall = false): StateOwner | undefined {
    if (typeof instance !== 'object' || instance === null) return undefined;
    const place = this.ownStatePlace(concrete);
    if (place === undefined) return undefined;
    const known = this.#owners.get(instance);
    if (known !== undefined) return known;
    if (perCall || this.#catalog?.isPerCall(concrete) === true) throw perCallError(place);
    return this.#owners.add(instance, concrete);
  }

  /** @throws ResilienceConfigurationError for a class whose instances do not stay, and are to have state of their own. */
  refusePerCall(concrete: AnyClass): void {
    const place = this.ownStatePlace(concrete);
    if (place !== undefined && this.#catalog?.isPerCall(concrete) === true) throw perCallError(place);
  }

  /** The instances of a class that have state of their own, as far as they are known. */
  ownersOf(concrete: AnyClass): StateOwner[] {
    return this.#owners.ofClass(concrete);
  }

  /** Finds instances that nobody has called yet, so that their state can be seen and steered. */
  findOwners(): void {
    if (this.#catalog === undefined) return;
    // What cannot have state of its own is told at the start, or by its first call.
    for (const [instance, concrete] of this.#catalog.staticInstances())
      new Mistakes().in(() => this.ownerOf(instance, concrete));
  }

  /** The policy for which each instance of a class has state of its own, as errors name it; undefined: none. */
  ownStatePlace(concrete: AnyClass): string | undefined {
    if (this.#isLenient()) return undefined;
    let place = this.#ownStatePlaces.get(concrete);
    if (place === undefined) {
      place = this.#findOwnState(concrete) ?? false;
      this.#ownStatePlaces.set(concrete, place);
    }
    return place === false ? undefined : place;
  }

  #findOwnState(concrete: AnyClass): string | undefined {
    for (const [, { methods }] of guardedLineage(concrete)) {
      for (const method of methods.values()) {
        const place = this.#placeOf(method, concrete);
        // What is wrong is told where its plan is made.
        const { policies } = new Mistakes().in(() => this.#resolve(method, place)) ?? {};
        for (const [key, { label, options }] of policies ?? [])
          if (STATEFUL.has(key) && options.scope === 'instance') return `${place}, ${label}`;
      }
    }
    return undefined;
  }

  /** The names that rules can speak of: of sets, and of what decorators share. */
  get names(): string[] {
    const declared = this.#catalog?.definitions.names() ?? [];
    return [...new Set([...this.#sets.names(), ...declared, ...this.#adHocNames.names()])];
  }

  /** What rules say now. */
  get rules(): RuleLayer {
    return this.#rules;
  }

  /** Plans follow `rules` from now on; those that differ are to be forgotten. */
  adoptRules(rules: RuleLayer): void {
    this.#rules = rules;
    this.#ownStatePlaces.clear();
  }

  /** Lets `work` make plans as they would be under `rules`, with `instances`; what is in use is not touched. */
  rehearse<T>(rules: RuleLayer, instances: Instances, work: () => T): T {
    const inForce = this.#rules;
    this.#rules = rules;
    this.#rehearsal = instances;
    try {
      return work();
    } finally {
      this.#rules = inForce;
      this.#rehearsal = undefined;
    }
  }

  /** What the decorators of a handler say, for the interceptors on it; undefined where there are none. */
  resolutionOf(concrete: AnyClass, methodName: string): Resolution | undefined {
    const method = guardedMethodOf(concrete, methodName);
    if (method !== undefined) return this.#resolve(method, this.#placeOf(method, concrete));
    const { declared } = recordOf(concrete);
    return declared.resilient?.set === false ? this.#resolver().resolve(nameOf(concrete), [declared]) : undefined;
  }

  /** Makes a plan of declarations that belong to no method. @throws ResilienceConfigurationError */
  planFor(target: Target, layers: readonly Declared[], adjust?: (resolution: Resolution) => Resolution): Plan {
    // What a rule adds to a method is added once, and not in each interceptor that stands before it.
    const resolution = this.#resolver().resolve(target.instanceName, layers, adjust === undefined);
    const adjusted = adjust?.(resolution) ?? resolution;
    return this.#build(target, adjusted, this.#rehearsal ?? this.instances, undefined);
  }

  /** The name by which a class is shown; no two classes share one. */
  labelOf(concrete: AnyClass): string {
    const wanted = this.#catalog?.labelOf(concrete) ?? nameOf(concrete);
    let label = wanted;
    for (let copy = 2; (this.#labelled.get(label) ?? concrete) !== concrete; copy++) label = `${wanted}#${copy}`;
    this.#labelled.set(label, concrete);
    return label;
  }

  shutDown(): void {
    this.lifecycle.close();
  }

  dispose(): void {
    this.lifecycle.dispose();
    this.plans.forgetRecent();
    this.#unlog?.();
    this.#repeats.close();
  }

  /** @param taught what the method has turned out to give. */
  #makePlan(
    method: GuardedMethod,
    concrete: AnyClass,
    owner?: StateOwner,
    taught = this.kinds.kindOf(method, concrete),
  ): Plan {
    const instanceName = this.#placeOf(method, concrete);
    const resolution = this.#resolve(method, instanceName);
    const signalIndex = signalIndexOf(method);
    const body = bodyOf(method, signalIndex);
    const learner = this.#learnerOf(method, concrete, owner, instanceName, resolution);
    const kind = declaredKindOf(method, resolution) ?? taught;
    const target: Target = {
      className: this.labelOf(concrete),
      methodName: method.methodName,
      instanceName,
      kind,
      learner: kind === undefined ? learner : undefined,
      parameterCount: method.parameterCount ?? method.wrapper.length,
      signalIndex,
      http: Reflect.hasMetadata('path', method.wrapper) && Reflect.hasMetadata('method', method.wrapper),
      body: method.kind === undefined || method.kind === 'sync' ? orGiven(body) : body,
      ...(owner === undefined ? {} : { nameOfState: owner.nameOfState }),
    };
    // A method that may turn out to be a mere helper of its class gets no breaker that everybody sees.
    const idle = kind === undefined && learner.byClassAlone;
    const instances = idle ? new Instances(this.environment) : (this.#rehearsal ?? this.instances);
    return this.#build(target, resolution, instances, concrete, method.parameterCount);
  }

  #learnerOf(
    method: GuardedMethod,
    concrete: AnyClass,
    owner: StateOwner | undefined,
    place: string,
    { returns }: Resolution,
  ): Learner {
    const pass = (reason: string): void => this.kinds.pass(method, concrete, place, reason);
    return {
      byClassAlone: !isDecoratedItself(method),
      thenableAlone: method.kind === 'sync',
      returns,
      learn: (kind) => {
        try {
          // A call inside the first one has learned it already.
          const known = this.plans.ofMethod(method, concrete, owner);
          if (known.kind === kind) return known;
          const plan = this.#makePlan(method, concrete, owner, kind);
          this.kinds.learn(method, concrete, kind);
          this.plans.replace(method, concrete, plan, owner);
          return plan;
        } catch (error) {
          // Not every policy can guard a stream.
          return void pass(textOf(error));
        }
      },
      passed: (value) => pass(describePassed(value, method)),
    };
  }

  /** @throws ResilienceConfigurationError for everything that is wrong. */
  #build(
    target: Target,
    resolution: Resolution,
    instances: Instances,
    concrete: AnyClass | undefined,
    parameterCount?: number,
  ): Plan {
    const mistakes = new Mistakes();
    mistakes.in(() => checkFallbackMethods(target.instanceName, resolution, concrete, parameterCount));
    const build = (): Plan => buildPlan(target, resolution, instances, this.environment);
    const plan = mistakes.in(build);
    mistakes.throwAny(target.instanceName);
    return plan as Plan;
  }

  /** The names by which anything but a set of `execute()` keeps state. */
  #declaredNames(): ReadonlySet<string> {
    const planned = [...this.plans.declared()].flatMap(({ plan }) => plan.policies.map(({ name }) => name));
    return new Set([...planned, ...this.#sets.names(), ...(this.#catalog?.definitions.names() ?? [])]);
  }

  #tellOfNames(most: number): void {
    if (!this.#isDue('names of execute()')) return;
    this.#logger.write(
      'warn',
      `execute() was given sets with more than ${most} names: the state of those that were not used for longest is forgotten; expected a name for each dependency, and the option 'key' for what varies`,
    );
  }

  #resolve(method: GuardedMethod, place: string): Resolution {
    const { declared } = recordOf(method.declaringClass);
    return this.#resolver().resolve(place, [method.coveredByClass ? declared : nothingDeclared(), method.own]);
  }

  #resolver(): Resolver {
    const definitions: NamedDefinitions = this.#catalog?.definitions ?? NO_DEFINITIONS;
    return new Resolver(this.#sets, definitions, this.#isLenient(), this.#rules);
  }

  /** `Sub.charge`; and `Sub.charge (Base)` for what `super.charge()` reaches. */
  #placeOf(method: GuardedMethod, concrete: AnyClass): string {
    const { methodName, declaringClass } = method;
    const place = `${this.labelOf(concrete)}.${methodName}`;
    const inForce = guardedMethodOf(concrete, methodName);
    return inForce === method || declaringClass === concrete ? place : `${place} (${nameOf(declaringClass)})`;
  }

  /** Until the options are there a call cannot wait for them: they may depend on what it does. */
  #isLenient(): boolean {
    return this.standalone || !this.#configured;
  }

  /** Whether something may be said again: once a minute. */
  #isDue(place: string): boolean {
    const now = this.environment.clock.now();
    if (now - (this.#reportedAt.get(place) ?? -Infinity) < REPORT_EVERY_MS) return false;
    if (this.#reportedAt.size >= MAX_REPORTED)
      for (const [told, at] of this.#reportedAt) if (now - at >= REPORT_EVERY_MS) this.#reportedAt.delete(told);
    this.#reportedAt.set(place, now);
    return true;
  }

  #report(place: string, error: unknown): void {
    if (this.#isDue(place)) this.#logger.write('error', () => `${place} failed: ${textOf(error)}`, stackOf(error));
  }
}

function perCallError(place: string): ResilienceConfigurationError {
  return new ResilienceConfigurationError(
    place,
    "option 'scope': expected 'class' on a request-scoped or transient provider, whose instances do not stay, got 'instance'",
  );
}

/** The method that a call on an instance of `concrete` reaches, if a decorator of ours stands on it. */
export function guardedMethodOf(concrete: AnyClass, methodName: string): GuardedMethod | undefined {
  for (
    let prototype: unknown = concrete.prototype;
    prototype !== null && prototype !== undefined;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, methodName);
    if (descriptor === undefined) continue;
    const declaring = (prototype as { constructor?: unknown }).constructor;
    return typeof declaring === 'function' ? recordOf(declaring as AnyClass).methods.get(methodName) : undefined;
  }
  return undefined;
}

/** What a method gives by its code, its type or its set; undefined: nobody says. */
function declaredKindOf(method: GuardedMethod, { returns }: Resolution): Returns | undefined {
  if (method.kind !== undefined && method.kind !== 'sync') return method.kind;
  // A set of the class speaks of its guarded methods, and does not make guarded ones of its helpers.
  return isDecoratedItself(method) ? returns : undefined;
}

/** Runs a method with the attempt's signal where it asks for one. */
function bodyOf(method: GuardedMethod, signalIndex: number): Body {
  const { body } = method;
  if (signalIndex < 0) return (call) => body.apply(call.instance, call.args as unknown[]);
  return (call) => {
    const args = [...call.args];
    while (args.length < signalIndex) args.push(undefined);
    args[signalIndex] = call.signal;
    return body.apply(call.instance, args);
  };
}
