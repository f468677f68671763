const LONGEST = 60;

/** A value as an error message shows it: short, on one line, and never failing. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > LONGEST ? `${JSON.stringify(value.slice(0, LONGEST))}...` : JSON.stringify(value);
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

function describeObject(value: object | null): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  const prototype: unknown = Object.getPrototypeOf(value);
  const constructor = prototype === null ? undefined : (prototype as { constructor?: unknown }).constructor;
  if (typeof constructor !== 'function' || constructor === Object || constructor.name === '') return 'an object';
  return /^[AEIOU]/i.test(constructor.name) ? `an ${constructor.name}` : `a ${constructor.name}`;
}
