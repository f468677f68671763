import type { ModulesContainer } from '@nestjs/core';
import { STATIC_CONTEXT } from '@nestjs/core/injector/constants.js';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { isThenable, promiseOf } from '../../errors/foreign.js';
import type { AnyFunction } from '../../guarded/guarded-method.js';
import { isBound, isGuarded, offer } from '../runtime/binding.js';
import type { Runtime } from '../runtime/runtime.js';
import { isPerCall } from './instances-of.js';

const WRAPPED = Symbol('nestjs-bulwark:factory');

/**
 * Nest injects properties into what it constructs. What a `useValue` holds or a factory makes gets the runtime here:
 * values at once, the products of factories of any scope as they are made.
 */
export function bindProviders(container: ModulesContainer, runtime: Runtime): void {
  for (const module of container.values()) {
    for (const wrapper of module.controllers.values()) {
      // Nest serves a transient controller from an object that it never constructs.
      if (wrapper.isTransient) bindIfGuarded(wrapper.instance, runtime);
    }
    for (const wrapper of [...module.providers.values(), ...module.injectables.values()]) {
      if (wrapper.inject === undefined || wrapper.inject === null) {
        if (wrapper.isNotMetatype) bindIfGuarded(wrapper.instance, runtime);
        continue;
      }
      if (wrapper.isDependencyTreeStatic()) bindProduct(wrapper, runtime);
      const factory = wrapper.metatype as unknown as AnyFunction & { [WRAPPED]?: boolean };
      if (typeof factory === 'function' && factory[WRAPPED] !== true)
        wrapper.metatype = wrapFactory(factory, runtime, wrapper) as never;
    }
  }
}

/** What a factory has made, or what one that is at work already will have made. */
function bindProduct(wrapper: InstanceWrapper, runtime: Runtime): void {
  bindIfGuarded(wrapper.instance, runtime);
  const { donePromise } = wrapper.getInstanceByContextId(STATIC_CONTEXT);
  // A factory that fails fails the start; that is not for this place to tell.
  donePromise?.then(
    () => void bindIfGuarded(wrapper.instance, runtime),
    () => undefined,
  );
}

function wrapFactory(factory: AnyFunction, runtime: Runtime, wrapper: InstanceWrapper): AnyFunction {
  const wrapped = (...args: unknown[]): unknown => {
    const product = factory(...args);
    const bindProduct = (value: unknown): unknown => bindIfGuarded(value, runtime, isPerCall(wrapper));
    return isThenable(product) ? promiseOf(product).then(bindProduct) : bindProduct(product);
  };
  return Object.assign(wrapped, { [WRAPPED]: true });
}

function bindIfGuarded<T>(value: T, runtime: Runtime, perCall = false): T {
  if (typeof value === 'object' && value !== null && !(isGuarded(value) && isBound(value)))
    offer(value, runtime, perCall);
  return value;
}
