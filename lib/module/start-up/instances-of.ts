import type { ModulesContainer } from '@nestjs/core';
import { STATIC_CONTEXT } from '@nestjs/core/injector/constants.js';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { AnyClass } from '../../guarded/guarded-method.js';

/** Whether a provider is made anew for requests, or for whoever asks. */
export function isPerCall(wrapper: InstanceWrapper): boolean {
  return wrapper.isTransient || !wrapper.isDependencyTreeStatic();
}

/** Every provider, controller and enhancer of an app, in the order of its modules. */
export function* wrappersOf(container: ModulesContainer): Generator<InstanceWrapper> {
  for (const module of container.values()) {
    yield* module.providers.values();
    yield* module.controllers.values();
    yield* module.injectables.values();
  }
}

/** The objects that an app makes once, each with its class. */
export function* staticInstancesOf(container: ModulesContainer): Generator<[object, AnyClass]> {
  for (const wrapper of wrappersOf(container)) {
    if (isPerCall(wrapper)) continue;
    const { instance, isResolved } = wrapper.getInstanceByContextId(STATIC_CONTEXT) as {
      instance: unknown;
      isResolved?: boolean;
    };
    // Until it is made, a bare object stands in its place.
    if (isResolved !== true || typeof instance !== 'object' || instance === null) continue;
    const { constructor } = instance;
    if (typeof constructor === 'function') yield [instance, constructor as unknown as AnyClass];
  }
}
