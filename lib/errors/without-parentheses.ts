import { ResilienceConfigurationError } from './configuration.error.js';

/**
 * Refuses `@Timeout` where `@Timeout(500)` is meant. Without parentheses the language calls what makes the decorator as if it were
 * the decorator, and nothing would be guarded; where nobody checks types, nobody says so.
 *
 * @param written what to write instead.
 * @param given all that it was called with.
 * @throws ResilienceConfigurationError naming the class and the method.
 */
export function refuseWithoutParentheses(written: string, given: readonly unknown[]): void {
  const place = decorated(given);
  if (place === undefined) return;
  const label = written.slice(0, written.indexOf('('));
  throw new ResilienceConfigurationError(`${place}, ${label}`, `stands there without parentheses; expected ${written}`);
}

/** What is decorated, if these are the arguments of a decorator. */
function decorated([target, key, third]: readonly unknown[]): string | undefined {
  if (isContext(key)) return key.kind === 'class' ? nameOf(target) : `a class.${String(key.name)}`;
  if (typeof target === 'function') {
    // A member of the class, or a parameter of its constructor; alone, a class is no handler, since it cannot be called.
    if (isMember(key)) return `${nameOf(target)}.${String(key)}`;
    if (key === undefined && typeof third === 'number') return `${nameOf(target)}.constructor`;
    return key === undefined && isClass(target) ? nameOf(target) : undefined;
  }
  return isPrototype(target) && isMember(key) ? `${nameOf(target.constructor)}.${String(key)}` : undefined;
}

function isMember(key: unknown): key is string | symbol {
  return typeof key === 'string' || typeof key === 'symbol';
}

/** What the language's own decorators get as their second argument. */
function isContext(value: unknown): value is { kind: string; name: string | symbol } {
  return typeof value === 'object' && value !== null && 'kind' in value && 'addInitializer' in value;
}

function isPrototype(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'constructor')) return false;
  const { constructor } = value;
  return typeof constructor === 'function' && constructor.prototype === value;
}

function isClass(value: object): boolean {
  return Function.prototype.toString.call(value).startsWith('class');
}

function nameOf(target: unknown): string {
  const { name } = target as { readonly name?: unknown };
  return typeof name === 'string' && name !== '' ? name : 'a class';
}
