import { Inject, Optional } from '@nestjs/common';
import { constructorOf, hasProperty, propertyOf } from '../../errors/foreign.js';
import { guardedLineage } from '../../guarded/guarded-classes.js';
import type { AnyClass, GuardedMethod } from '../../guarded/guarded-method.js';
import type { Plan } from '../../pipeline/plan.js';
import { warnOnce } from '../event-log/warn-once.js';
import { nameOf } from '../../guarded/class-names.js';
import { warnOfOtherCopy } from './package-copy.js';
import { Runtime } from './runtime.js';
import { RUNTIME, RUNTIME_PROPERTY } from '../tokens.js';

/** What an instance knows of its app. */
interface Binding {
  readonly runtime: Runtime;
  readonly concrete: AnyClass;
  /** The plans of its class, shared by all its instances in one app; or its own, if it has state of its own. */
  plans: Map<GuardedMethod, Plan>;
  /** Whether it is made anew for requests, or for whoever asks. */
  readonly perCall: boolean;
}

const BINDING = Symbol('nestjs-bulwark:binding');

/** For instances that cannot be given a property. */
const bindings = new WeakMap<object, Binding>();

/** Lets Nest hand the runtime to every instance of a class, whatever its scope and however it is made. */
export function requestRuntime(prototype: object): void {
  if (Object.hasOwn(prototype, RUNTIME_PROPERTY)) return;
  Object.defineProperty(prototype, RUNTIME_PROPERTY, {
    configurable: true,
    get: () => undefined,
    set(this: object, value: unknown) {
      if (Runtime.is(value)) bind(this, value);
      else warnOfOtherCopy(nameOf(this.constructor as AnyClass), value);
    },
  });
  Inject(RUNTIME)(prototype, RUNTIME_PROPERTY);
  Optional()(prototype, RUNTIME_PROPERTY as unknown as string, undefined as unknown as number);
}

/**
 * Puts an instance under the policies of an app.
 *
 * @param perCall whether it is made anew for requests, or for whoever asks.
 */
export function bind(instance: object, runtime: Runtime, perCall = false): void {
  keep(instance, bindingTo(runtime, classOf(instance), perCall));
}

function bindingTo(runtime: Runtime, concrete: AnyClass, perCall: boolean): Binding {
  return { runtime, concrete, plans: runtime.app.plansOf(concrete), perCall };
}

function classOf(instance: object): AnyClass {
  const type = propertyOf(instance, 'constructor');
  return typeof type === 'function' ? (type as AnyClass) : Object;
}

/** One that is frozen, or a proxy that takes no property or hides it, is found by itself. */
function keep(instance: object, binding: Binding): void {
  const property = { value: binding, configurable: true, writable: true, enumerable: false };
  if (!define(instance, property) || bindingIn(instance) !== binding) bindings.set(instance, binding);
}

function define(instance: object, property: PropertyDescriptor): boolean {
  try {
    return Reflect.defineProperty(instance, BINDING, property);
  } catch {
    return false;
  }
}

/** What an instance carries. Calls pass here, so nothing but a strict proxy may cost more than the look. */
function bindingIn(instance: unknown): Binding | undefined {
  try {
    return (instance as Bound | null | undefined)?.[BINDING];
  } catch {
    return undefined;
  }
}

/**
 * Puts an instance that Nest has not made under the policies of an app. One that another copy of the package guards is
 * told which runtime there is, so that it can say why it does not follow it.
 */
export function offer(instance: object, runtime: Runtime, perCall = false): void {
  if (isGuarded(instance)) bind(instance, runtime, perCall);
  else if (hasProperty(instance, RUNTIME_PROPERTY)) Reflect.set(instance, RUNTIME_PROPERTY, runtime);
}

/** Whether a class of `value` has decorators of ours. Nothing of the value itself is read: it may be a strict proxy. */
export function isGuarded(value: object): boolean {
  const constructor = constructorOf(value);
  return typeof constructor === 'function' && guardedLineage(constructor as AnyClass).length > 0;
}

/** Whether an instance has policies to go by, be it only those of its decorators. */
export function hasBinding(instance: unknown): boolean {
  if (typeof instance !== 'object' || instance === null)
    return typeof instance === 'function' && bindings.has(instance);
  return bindingIn(instance) !== undefined || bindings.has(instance);
}

/** Whether an instance has the policies of an app. */
export function isBound(instance: object): boolean {
  const binding = bindingIn(instance) ?? bindings.get(instance);
  return binding !== undefined && !binding.runtime.standalone;
}

interface Bound {
  [BINDING]: Binding | undefined;
}

/** The plan by which `method` ran last, if that is the plan for `instance` too, as it nearly always is. */
export function recentPlan(instance: unknown, { recent }: GuardedMethod): Plan | undefined {
  return recent !== undefined && bindingIn(instance)?.plans === recent.plans ? recent.plan : undefined;
}

/** The plan by which `method` runs on `instance`. */
export function planOf(instance: unknown, method: GuardedMethod): Plan {
  const binding = bindingIn(instance) ?? bindingOf(instance, method);
  const plan = binding.plans.get(method) ?? makePlan(binding, instance, method);
  method.recent = { plans: binding.plans, plan };
  return plan;
}

function makePlan(binding: Binding, instance: unknown, method: GuardedMethod): Plan {
  const { runtime, concrete, perCall } = binding;
  runtime.mistakes.throwAny('ResilienceModule');
  const owner = runtime.app.ownState.ownerOf(instance, concrete, perCall);
  binding.plans = owner?.plans ?? runtime.app.plansOf(concrete);
  return runtime.app.plan(method, concrete, owner);
}

function bindingOf(instance: unknown, method: GuardedMethod): Binding {
  const isObject = (typeof instance === 'object' && instance !== null) || typeof instance === 'function';
  const owner = isObject ? instance : method;
  const known = bindings.get(owner);
  if (known !== undefined) return known;
  warnOnce(withoutModule(isObject ? classOf(instance) : method.declaringClass, method), WITHOUT_MODULE);
  const binding = bindingTo(new Runtime(true), isObject ? classOf(instance) : method.declaringClass, false);
  if (isObject) keep(instance, binding);
  else bindings.set(method, binding);
  return binding;
}

const WITHOUT_MODULE = 'an instance without a module';

function withoutModule(type: AnyClass, { methodName }: GuardedMethod): string {
  return (
    `${nameOf(type)}.${methodName}() was called on an instance that no ResilienceModule provides: it runs under its decorators ` +
    'alone, as may others. Import ResilienceModule.forRoot() in the root module of the app or test, and let Nest make the ' +
    'instance, or hand it to ResilienceService.bind().'
  );
}
