import { Mistakes } from '../errors/configuration.error.js';
import { guardedMethodOf, idempotencyOf, knownOf, signalIndexOf } from '../guarded/guarded-classes.js';
import { nameOf } from '../guarded/class-names.js';
import {
  isDecoratedItself,
  nothingDeclared,
  type AnyClass,
  type AnyFunction,
  type Declared,
  type GuardedMethod,
} from '../guarded/guarded-method.js';
import type { Returns } from '../kernel/method-kind.js';
import type { PlannedPolicy } from '../pipeline/plan-init.js';
import type { Plan } from '../pipeline/plan.js';
import { orGiven, type Body } from '../pipeline/promise-work.js';
import { assemble, type PlannerEnvironment } from './assemble.js';
import { checkFallbackMethods } from './check-fallback-methods.js';
import { Instances } from './instances.js';
import { learnerOf, type Lessons } from './learner.js';
import { sureAnswersIn, type NamedAnswer } from './named-answers.js';
import { planSteps, shown } from './plan-steps.js';
import type { PolicySets } from './policy-sets.js';
import { refuseRings } from './refuse-rings.js';
import type { NamedDefinitions, Resolution } from './resolution.js';
import { Resolver } from './resolver.js';
import type { RuleLayer } from './rule-layer.js';
import type { StateOwner } from './state-owners.js';
import type { Target } from './target.js';

/** What an app has declared, and what its plans are made with. */
export interface PlannedApp {
  readonly sets: PolicySets;
  definitions(): NamedDefinitions;
  readonly environment: PlannerEnvironment;
  /** What its methods have turned out to give, and who is to know. */
  readonly lessons: Lessons;
  /** The name by which a class is shown; no two classes share one. */
  labelOf(concrete: AnyClass): string;
  /** Whether an interceptor of ours stands before a handler, and does something. */
  isIntercepted(concrete: AnyClass, methodName: string): boolean;
  /** Whether an HTTP client waits for the answer of a method. */
  isHttpHandler(wrapper: AnyFunction): boolean;
  /** Whether a scheduler calls a method. */
  isScheduled(wrapper: AnyFunction): boolean;
}

/**
 * Makes the plans of an app under one set of rules, with what keeps its state. To see what other rules would do, another
 * planner is made beside the one in use.
 */
export class Planner {
  constructor(
    private readonly app: PlannedApp,
    readonly rules: RuleLayer,
    private readonly instances: Instances,
  ) {}

  /** A planner of the same app by other rules, whose plans find state elsewhere where nothing in use is to be touched. */
  under(rules: RuleLayer, instances: Instances): Planner {
    return new Planner(this.app, rules, instances);
  }

  /**
   * The plan of a method for instances of `concrete`, or for one of them.
   *
   * @param taught what the method has turned out to give.
   * @throws ResilienceConfigurationError
   */
  plan(
    method: GuardedMethod,
    concrete: AnyClass,
    owner?: StateOwner,
    taught = this.app.lessons.kindOf(method, concrete),
  ): Plan {
    const { app } = this;
    const instanceName = this.placeOf(method, concrete);
    const resolution = this.resolve(method, concrete);
    const signalIndex = signalIndexOf(method);
    const body = bodyOf(method, signalIndex);
    const learner = learnerOf(
      { method, concrete, owner, place: instanceName, returns: resolution.returns },
      app.lessons,
    );
    const kind = declaredKindOf(method, resolution) ?? taught;
    const target: Target = {
      className: app.labelOf(concrete),
      methodName: method.methodName,
      concrete,
      guarded: method,
      instanceName,
      kind,
      learner: kind === undefined ? learner : undefined,
      parameterCount: method.parameterCount ?? method.wrapper.length,
      signalIndex,
      response: knownOf(concrete)?.responses.get(method.methodName),
      inner: app.isIntercepted(concrete, method.methodName),
      idempotency: idempotencyOf(concrete, method.methodName),
      http: app.isHttpHandler(method.wrapper),
      scheduled: app.isScheduled(method.wrapper),
      exempt: resolution.exempt,
      body: method.kind === undefined || method.kind === 'sync' ? orGiven(body) : body,
      ...(owner === undefined ? {} : { nameOfState: owner.nameOfState }),
    };
    // A method that may turn out to be a mere helper of its class gets no breaker that everybody sees.
    const idle = kind === undefined && learner.byClassAlone;
    const instances = idle ? new Instances(app.environment) : this.instances;
    return this.#build(target, resolution, instances, concrete, method.parameterCount);
  }

  /** @throws ResilienceConfigurationError where methods that answer for each other would never end. */
  refuseRings(method: GuardedMethod, concrete: AnyClass): void {
    const answersOf = (methodName: string): NamedAnswer[] => this.#answersOf(concrete, methodName);
    refuseRings(this.placeOf(method, concrete), method.methodName, this.resolve(method, concrete), answersOf);
  }

  /**
   * Makes a plan of declarations that belong to no method.
   *
   * @param adjust leaves out what stands elsewhere, or refuses it.
   * @throws ResilienceConfigurationError
   */
  planFor(target: Target, layers: readonly Declared[], adjust?: (resolution: Resolution) => Resolution): Plan {
    // What a rule adds to a method is added once, and not in each interceptor that stands before it.
    const resolution = this.#resolver().resolve(target.instanceName, layers, adjust === undefined);
    return this.#build(target, adjust?.(resolution) ?? resolution, this.instances, undefined);
  }

  /** What decorators, sets and rules make of a method. @throws ResilienceConfigurationError */
  resolve(method: GuardedMethod, concrete: AnyClass): Resolution {
    const declared = knownOf(method.declaringClass)?.declared ?? nothingDeclared();
    const layers = [method.coveredByClass ? declared : nothingDeclared(), method.own];
    return this.#resolver().resolve(this.placeOf(method, concrete), layers);
  }

  /** What a set of `policies` puts around its work, as data: nothing is made. @throws ResilienceConfigurationError */
  policiesOfSet(name: string): PlannedPolicy[] {
    const mistakes = new Mistakes();
    const set = { ...nothingDeclared(), resilient: { label: `policies.${name}`, set: name } };
    const resolution = this.#resolver().resolve(name, [set], false);
    const steps = planSteps({ instanceName: name, kind: 'promise' }, resolution, this.app.environment, mistakes);
    mistakes.throwAny(name);
    return shown(steps);
  }

  /** What the decorators of a handler say, for the interceptors on it; undefined where there are none. */
  resolutionOf(concrete: AnyClass, methodName: string): Resolution | undefined {
    const method = guardedMethodOf(concrete, methodName);
    if (method !== undefined) return this.resolve(method, concrete);
    const declared = knownOf(concrete)?.declared;
    return declared?.resilient?.set === false ? this.#resolver().resolve(nameOf(concrete), [declared]) : undefined;
  }

  /** `Sub.charge`; and `Sub.charge (Base)` for what `super.charge()` reaches. */
  placeOf(method: GuardedMethod, concrete: AnyClass): string {
    const { methodName, declaringClass } = method;
    const place = `${this.app.labelOf(concrete)}.${methodName}`;
    const inForce = guardedMethodOf(concrete, methodName);
    return inForce === method || declaringClass === concrete ? place : `${place} (${nameOf(declaringClass)})`;
  }

  /** @throws ResilienceConfigurationError for everything that is wrong. */
  #build(
    target: Target,
    resolution: Resolution,
    instances: Instances,
    concrete: AnyClass | undefined,
    parameterCount?: number,
  ): Plan {
    const { environment } = this.app;
    const mistakes = new Mistakes();
    mistakes.in(() => checkFallbackMethods(target.instanceName, resolution, concrete, parameterCount));
    const steps = planSteps(target, resolution, environment, mistakes);
    return assemble(target, steps, instances, environment, mistakes);
  }

  /** The methods that answer for a method of `concrete`; what is wrong with it is told where it is planned itself. */
  #answersOf(concrete: AnyClass, methodName: string): NamedAnswer[] {
    const method = guardedMethodOf(concrete, methodName);
    const resolution = method && new Mistakes().in(() => this.resolve(method, concrete));
    return resolution === undefined ? [] : sureAnswersIn(resolution);
  }

  #resolver(): Resolver {
    const { sets, environment } = this.app;
    return new Resolver(sets, this.app.definitions(), environment.lenient, this.rules);
  }
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
