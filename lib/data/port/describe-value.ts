import { maskCredentials } from '../../errors/mask-credentials.js';

const LONGEST = 60;

/** A value as an error message shows it: short, on one line, without credentials, and never failing. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return describeText(maskCredentials(value));
    case 'bigint':
      return `${value}n`;
    case 'function':
      return 'a function';
    case 'object':
      return describeObject(value);
    default:
      return String(value);
  }
}

function describeText(text: string): string {
  return text.length > LONGEST ? `${JSON.stringify(text.slice(0, LONGEST))}...` : JSON.stringify(text);
}

function describeObject(value: object | null): string {
  if (value === null) return 'null';
  if (isArray(value)) return 'an array';
  const name = classNameOf(value);
  if (name === undefined) return 'an object';
  return /^[AEIOU]/i.test(name) ? `an ${name}` : `a ${name}`;
}

function classNameOf(value: object): string | undefined {
  try {
    const prototype: unknown = Object.getPrototypeOf(value);
    const constructor = prototype === null ? undefined : (prototype as { constructor?: unknown }).constructor;
    if (typeof constructor !== 'function' || constructor === Object) return undefined;
    const { name }: { name: unknown } = constructor;
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  }
}

/** A revoked proxy cannot even be asked that. */
function isArray(value: object): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
