import type { AnyClass, AnyFunction } from './guarded-method.js';

/** A property, and the prototype that has it. */
interface Declaration {
  readonly holder: object;
  readonly property: PropertyDescriptor;
}

/** Where a class, or the nearest base of it, declares a property; nothing is called, as a getter would be. */
export function declarationOf(type: AnyClass, name: string): Declaration | undefined {
  // A class that was made by hand may have no prototype.
  let holder = type.prototype as object | null | undefined;
  while (holder !== null && holder !== undefined) {
    const property = Object.getOwnPropertyDescriptor(holder, name);
    if (property !== undefined) return { holder, property };
    holder = Object.getPrototypeOf(holder) as object | null;
  }
  return undefined;
}

/** The method of that name; undefined: there is none, or an accessor gives it. */
export function methodOf(type: AnyClass, name: string): AnyFunction | undefined {
  const value: unknown = declarationOf(type, name)?.property.value;
  return typeof value === 'function' ? (value as AnyFunction) : undefined;
}
