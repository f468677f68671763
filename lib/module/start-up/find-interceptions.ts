import type { ModulesContainer } from '@nestjs/core';
import { instanceOf } from '../../errors/foreign.js';
import type { AnyClass, AnyFunction } from '../../guarded/guarded-method.js';
import type { Interception } from '../../planning/app-plans.js';
import { PolicyInterceptor } from '../interceptors/policy.interceptor.js';

/** Where Nest's decorators mark what a client can call. */
const HANDLER_METADATA = ['path', 'microservices:pattern', 'message', 'graphql:resolver_type'];

/** Finds every interceptor of ours before every handler, in the order in which Nest runs them. */
export function findInterceptions(container: ModulesContainer): Interception[] {
  const global = [...container.values()].flatMap((module) =>
    [...module.providers.values()]
      .filter((wrapper) => (wrapper.subtype as string | undefined) === 'interceptor')
      .flatMap((wrapper) => asInterceptor(wrapper.instance)),
  );
  const found: Interception[] = [];
  for (const module of container.values()) {
    const injected = [...module.injectables.values()].flatMap((wrapper) => asInterceptor(wrapper.instance));
    for (const { metatype } of [...module.controllers.values(), ...module.providers.values()]) {
      if (typeof metatype !== 'function' || typeof metatype.prototype !== 'object') continue;
      found.push(...ofHandlers(metatype as AnyClass, global, injected));
    }
  }
  return found;
}

function ofHandlers(
  type: AnyClass,
  global: readonly PolicyInterceptor[],
  injected: readonly PolicyInterceptor[],
): Interception[] {
  const ofClass = listed(type, injected);
  return handlersOf(type).flatMap(([methodName, handler]) =>
    [...new Set([...global, ...ofClass, ...listed(handler, injected)])].map((interceptor) => ({
      type,
      methodName,
      interceptor,
    })),
  );
}

/** The interceptors that `@UseInterceptors` names: instances, or classes that Nest has made instances of. */
function listed(target: AnyClass | AnyFunction, injected: readonly PolicyInterceptor[]): PolicyInterceptor[] {
  const named = (Reflect.getMetadata('__interceptors__', target) ?? []) as unknown[];
  return named.flatMap((one) => [...asInterceptor(one), ...injected.filter(({ constructor }) => constructor === one)]);
}

function asInterceptor(value: unknown): PolicyInterceptor[] {
  return instanceOf(value, PolicyInterceptor) ? [value] : [];
}

/** What clients can call of a class, by name. */
export function handlersOf(type: AnyClass): [string, AnyFunction][] {
  const handlers = new Map<string, AnyFunction>();
  for (
    let prototype: unknown = type.prototype;
    prototype !== Object.prototype && prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype as object))) {
      if (name === 'constructor' || typeof value !== 'function' || handlers.has(name)) continue;
      if (HANDLER_METADATA.some((key) => Reflect.hasMetadata(key, value as object)))
        handlers.set(name, value as AnyFunction);
    }
  }
  return [...handlers];
}
