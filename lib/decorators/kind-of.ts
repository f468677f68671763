import 'reflect-metadata';
import { Observable } from 'rxjs';
import { instanceOf } from '../errors/foreign.js';
import type { AnyFunction } from '../guarded/guarded-method.js';
import type { MethodKind } from '../kernel/method-kind.js';

/**
 * What a method gives, from its code or its declared type; undefined where neither says. It is read when the method
 * is decorated, so that it never depends on a first call.
 */
export function kindOf(method: AnyFunction, prototype: object, name: string): MethodKind {
  const tag = (method as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  if (tag === 'AsyncFunction') return 'promise';
  if (tag === 'AsyncGeneratorFunction') return 'asyncIterable';
  const declared: unknown = Reflect.getMetadata('design:returntype', prototype, name);
  // The compiler writes Object for interfaces and unions, and undefined for an inferred type: they say nothing.
  if (typeof declared !== 'function' || declared === Object) return undefined;
  if (declared === Promise) return 'promise';
  if (declared === Observable || instanceOf(declared.prototype, Observable) || declared.name === 'Observable')
    return 'observable';
  return 'sync';
}
