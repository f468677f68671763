import 'reflect-metadata';
import type { AnyFunction } from '../guarded/guarded-method.js';

/** Whatever other decorators and libraries find on the method, they find on its wrapper. */
export function carryOver(from: AnyFunction, to: AnyFunction): void {
  for (const key of Reflect.getOwnMetadataKeys(from) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, from), to);
  }
  const { prototype: _, ...properties } = Object.getOwnPropertyDescriptors(from) as Record<
    string | symbol,
    PropertyDescriptor
  >;
  Object.defineProperties(to, properties);
}
