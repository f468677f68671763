import 'reflect-metadata';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { hasBinding, planOf, recentPlan, requestRuntime } from '../module/runtime/binding.js';
import { notANameHere } from '../planning/policy-sets.js';
import { methodNamedIn } from '../policies/kinds.js';
import { refuseWithoutParentheses } from '../errors/without-parentheses.js';
import { recordOf } from '../guarded/guarded-classes.js';
import {
  isDecoratedItself,
  nothingDeclared,
  type AnyClass,
  type AnyFunction,
  type Declaration,
  type Declared,
  type GuardedMethod,
} from '../guarded/guarded-method.js';
import { mayTeach } from '../pipeline/learning.js';
import { LIFECYCLE_HOOKS } from '../guarded/lifecycle-hooks.js';
import type { Plan } from '../pipeline/plan.js';
import type { PolicySet } from '../policies/policy-set.js';
import { nameAndOptions } from './arguments.js';
import { carryOver } from './carry-over.js';
import { kindOf } from './kind-of.js';
import { declaredMethod, parameterCountOf } from './parameter-count.js';

type Decorator = (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => void;

/**
 * The decorator of one policy.
 *
 * @param written how it is written.
 * @param given the arguments as they came.
 */
export function policyDecorator(
  key: Declaration['key'],
  written: string,
  given: readonly unknown[],
  read: (given: readonly unknown[]) => Pick<Declaration, 'name' | 'setting'> = nameAndOptions,
): Decorator {
  refuseWithoutParentheses(written, given);
  const declaration: Declaration = { key, label: written.slice(0, written.indexOf('(')), ...read(given) };
  return decorate(declaration.label, (declared) => {
    if (declared.policies.some(({ key }) => key === declaration.key)) {
      declared.faults.push(`${declaration.label} stands here twice; expected each policy at most once`);
    }
    declared.policies.push(declaration);
  });
}

/** The decorator of a whole set. */
export function setDecorator(label: string, given: readonly unknown[]): Decorator {
  refuseWithoutParentheses(`${label}()`, given);
  const [set = 'default'] = given as readonly (string | PolicySet | false | undefined)[];
  return decorate(label, (declared) => {
    if (declared.resilient !== undefined)
      declared.faults.push(`${label} stands here twice; expected one policy set at most`);
    declared.resilient = { label, set };
  });
}

function decorate(label: string, declare: (declared: Declared) => void): Decorator {
  return (target, key, descriptor) => {
    if (typeof target === 'function' && key === undefined && descriptor === undefined) {
      const { declared } = recordOf(target as AnyClass);
      declare(declared);
      refuseMethodNames(declared);
      coverMethods(target as AnyClass);
      return;
    }
    const method = decoratedMethod(label, target, key, descriptor);
    declare(guardMethod(target, key as string, descriptor as PropertyDescriptor, method).own);
  };
}

/** On a class nothing says which method's arguments a named one would get. */
function refuseMethodNames({ policies, faults }: Declared): void {
  for (const { key, label, setting } of policies) {
    const name = methodNamedIn(key, setting);
    if (name !== undefined) faults.push(`${label}: ${notANameHere(name)}`);
  }
}

/** @throws ResilienceConfigurationError when the decorator stands on anything but a method of instances. */
function decoratedMethod(label: string, target: unknown, key: unknown, descriptor: unknown): AnyFunction {
  const refuse = (what: string): never => {
    const owner =
      typeof target === 'function' ? target : (target as { constructor?: { name: string } } | undefined)?.constructor;
    const place = `${owner?.name ?? 'a class'}.${typeof key === 'string' ? key : typeof key === 'symbol' ? key.toString() : 'constructor'}`;
    throw new ResilienceConfigurationError(
      `${place}, ${label}`,
      `cannot stand on ${what}; expected a method of instances, or a class`,
    );
  };
  if (typeof key === 'object')
    return refuse("a standard decorator's target: set experimentalDecorators in tsconfig.json");
  if (typeof descriptor === 'number') return refuse('a parameter');
  if (typeof target === 'function') return refuse('a static member');
  if (typeof descriptor !== 'object' || descriptor === null) return refuse('a field');
  if ('get' in descriptor || 'set' in descriptor) return refuse('an accessor');
  const { value } = descriptor as { value?: unknown };
  if (typeof value !== 'function') return refuse('a field');
  if (typeof key === 'symbol') return refuse('a method that is named by a symbol');
  return value as AnyFunction;
}

/** Puts every method of the class under its decorators that is meant to be. */
function coverMethods(type: AnyClass): void {
  const { methods, uncovered } = recordOf(type);
  const prototype = type.prototype as object;
  requestRuntime(prototype);
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === 'constructor') continue;
    const reason = reasonToSkip(prototype, name, descriptor, methods);
    if (reason !== undefined) uncovered.set(name, reason);
    else coverMethod(prototype, name, descriptor);
  }
}

function coverMethod(prototype: object, name: string, descriptor: PropertyDescriptor): void {
  const method = guardMethod(prototype, name, descriptor, descriptor.value as AnyFunction);
  method.coveredByClass = true;
  Object.defineProperty(prototype, name, descriptor);
}

function reasonToSkip(
  prototype: object,
  name: string,
  { value }: PropertyDescriptor,
  methods: ReadonlyMap<string, GuardedMethod>,
): string | undefined {
  if (typeof value !== 'function') return 'an accessor';
  if (LIFECYCLE_HOOKS.has(name)) return 'a lifecycle hook';
  const known = methods.get(name);
  const kind = known === undefined ? kindOf(value as AnyFunction, prototype, name) : known.kind;
  if (kind === 'sync') return 'a synchronous method';
  return undefined;
}

/** The record of a method, with a wrapper in its place. */
function guardMethod(
  prototype: object,
  name: string,
  descriptor: PropertyDescriptor,
  current: AnyFunction,
): GuardedMethod {
  const declaringClass = prototype.constructor as AnyClass;
  const { methods } = recordOf(declaringClass);
  const known = methods.get(name);
  if (known?.wrapper === current) return known;

  const declared = declaredMethod(current, prototype, name);
  const method: GuardedMethod = known ?? {
    declaringClass,
    methodName: name,
    kind: kindOf(current, prototype, name),
    body: current,
    wrapper: current,
    declared,
    parameterCount: parameterCountOf(declared, prototype, name),
    own: nothingDeclared(),
    coveredByClass: false,
    recent: undefined,
  };
  // Where another library's decorator lies between ours, the outermost wrapper runs the whole plan.
  method.body = current;
  method.wrapper = wrap(current, method);
  descriptor.value = method.wrapper;
  methods.set(name, method);
  requestRuntime(prototype);
  return method;
}

function wrap(original: AnyFunction, method: GuardedMethod): AnyFunction {
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    if (method.wrapper !== wrapper) return original.apply(this, args);
    const plan = recentPlan(this, method);
    return plan === undefined ? callAnew(original, method, this, args) : plan.invoke(this, args);
  };
  carryOver(original, wrapper);
  return wrapper;
}

/** A call whose plan is not that of the call before. */
function callAnew(original: AnyFunction, method: GuardedMethod, instance: unknown, args: unknown[]): unknown {
  if (method.kind === undefined && !hasBinding(instance) && !isDecoratedItself(method))
    return callBeforeBound(original, method, instance, args);
  let plan: Plan;
  try {
    plan = planOf(instance, method);
  } catch (error) {
    // A mistake in the options is told in the way in which the method tells all its errors.
    if (method.kind === 'promise') return Promise.reject(error);
    throw error;
  }
  return plan.invoke(instance, args);
}

/**
 * A constructor calls the helpers of its class before Nest has handed it the runtime. Only what may have to be guarded is
 * worth a word about that.
 */
function callBeforeBound(original: AnyFunction, method: GuardedMethod, instance: unknown, args: unknown[]): unknown {
  const value = original.apply(instance, args);
  return mayTeach(value) ? planOf(instance, method).guard(instance, args, value) : value;
}
