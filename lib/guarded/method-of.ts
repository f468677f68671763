import type { AnyClass, AnyFunction } from './guarded-method.js';

/** A property as the class or a base of it declares it; nothing is called, as a getter would be. */
export function declaredProperty(type: AnyClass, name: string): PropertyDescriptor | undefined {
  for (
    let holder = type.prototype as object | null;
    holder !== null;
    holder = Object.getPrototypeOf(holder) as object
  ) {
    const property = Object.getOwnPropertyDescriptor(holder, name);
    if (property !== undefined) return property;
  }
  return undefined;
}

/** The method of that name; undefined: there is none, or an accessor gives it. */
export function methodOf(type: AnyClass, name: string): AnyFunction | undefined {
  const value: unknown = declaredProperty(type, name)?.value;
  return typeof value === 'function' ? (value as AnyFunction) : undefined;
}
