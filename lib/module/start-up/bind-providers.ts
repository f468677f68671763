import type { ModulesContainer } from '@nestjs/core';
import { guardedLineage } from '../../pipeline/guarded-classes.js';
import { isThenable } from '../../pipeline/stages.js';
import type { AnyClass, AnyFunction } from '../../pipeline/guarded-method.js';
import { bind, isBound } from '../runtime/binding.js';
import type { Runtime } from '../runtime/runtime.js';

const WRAPPED = Symbol('nestjs-bulwark:factory');

/**
 * Nest injects properties into what it constructs. What a `useValue` holds or a factory makes gets the runtime here:
 * values at once, the products of factories of any scope as they are made.
 */
export function bindProviders(container: ModulesContainer, runtime: Runtime): void {
  for (const module of container.values()) {
    for (const wrapper of [...module.providers.values(), ...module.injectables.values()]) {
      if (wrapper.inject === undefined || wrapper.inject === null) {
        if (wrapper.isNotMetatype) bindIfGuarded(wrapper.instance, runtime);
        continue;
      }
      if (wrapper.isDependencyTreeStatic()) bindIfGuarded(wrapper.instance, runtime);
      const factory = wrapper.metatype as unknown as AnyFunction & { [WRAPPED]?: boolean };
      if (typeof factory === 'function' && factory[WRAPPED] !== true)
        wrapper.metatype = wrapFactory(factory, runtime) as never;
    }
  }
}

function wrapFactory(factory: AnyFunction, runtime: Runtime): AnyFunction {
  const wrapped = (...args: unknown[]): unknown => {
    const product = factory(...args);
    if (!isThenable(product)) return bindIfGuarded(product, runtime);
    return product.then((value) => bindIfGuarded(value, runtime));
  };
  return Object.assign(wrapped, { [WRAPPED]: true });
}

function bindIfGuarded<T>(value: T, runtime: Runtime): T {
  if (typeof value === 'object' && value !== null && isGuarded(value) && !isBound(value)) bind(value, runtime);
  return value;
}

function isGuarded(value: object): boolean {
  const constructor: unknown = (Object.getPrototypeOf(value) as { constructor?: unknown } | null)?.constructor;
  return typeof constructor === 'function' && guardedLineage(constructor as AnyClass).length > 0;
}
