import 'reflect-metadata';
import type { AnyFunction } from '../guarded/guarded-method.js';
import { parametersOf } from '../guarded/parameters.js';

/**
 * How many parameters a method declares, optional ones included; undefined where that cannot be known, and for a method
 * with a rest parameter.
 *
 * The compiler's metadata says it. Without them (tsx, esbuild) `length` leaves out all from the first default value on,
 * so the source text is counted.
 *
 * @param method the method as its class declares it: a function that a decorator has put in its place may take `...args`.
 * @see https://tc39.es/ecma262/#sec-function-definitions-static-semantics-expectedargumentcount why `length` says less
 */
export function parameterCountOf(method: AnyFunction, prototype: object, name: string): number | undefined {
  const types: unknown = Reflect.getMetadata('design:paramtypes', prototype, name);
  const written = parametersOf(method);
  if (!Array.isArray(types)) {
    if (written === 'native') return method.length;
    return written?.rest === true ? undefined : written?.names.length;
  }
  // The compiler names a type for a rest parameter as for any other. Where it has seen more, or the text is that of no method,
  // another library has put its own function here.
  const rest = typeof written === 'object' && written.rest && written.names.length === types.length && isMethod(method);
  return rest ? undefined : types.length;
}

/**
 * The method as its class declares it. While decorators of methods run, the class still has it, whatever those before have
 * put in its place.
 */
export function declaredMethod(current: AnyFunction, prototype: object, name: string): AnyFunction {
  const value: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
  return typeof value === 'function' ? (value as AnyFunction) : current;
}

/** Whether the text is that of a method; a function that a decorator has put there begins otherwise. */
function isMethod(method: AnyFunction): boolean {
  return !/^(?:async\s*)?(?:function\b|\(|[\w$]+\s*=>)/.test(String(method));
}
