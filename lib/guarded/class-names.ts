import type { AnyClass } from './guarded-method.js';

/** `mixin()` of Nest gives its classes a random name of 21 hexadecimal digits. */
const MIXIN_NAME = /^[0-9a-f]{21}$/;

/** The name of a class as people know it: that of its nearest ancestor where it has none of its own. */
export function nameOf(target: AnyClass): string {
  for (let current: unknown = target; typeof current === 'function'; current = Object.getPrototypeOf(current)) {
    const { name } = current as AnyClass;
    if (name !== '' && !MIXIN_NAME.test(name)) return name;
  }
  return 'anonymous';
}
