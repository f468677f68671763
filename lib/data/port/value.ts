import { types } from 'node:util';
import { describeValue } from './describe-value.js';
import { DataValueException } from './errors.js';

/** The largest value, in bytes of its JSON text in UTF-8: 1 MiB. */
export const MAX_VALUE_BYTES = 1024 * 1024;

/**
 * Writes a value as JSON text. What JSON would drop or change in silence is refused; an object with `toJSON` is
 * written as `JSON.stringify` would.
 *
 * @throws DataValueException naming the path, what is there, and what was expected.
 */
export function serializeValue(key: string, value: unknown): string {
  const check = new JsonCheck(key);
  const text = stringify(key, value, check);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_VALUE_BYTES) throw tooLarge(key, `${bytes} bytes`);
  return text;
}

/** The value that a text from {@link serializeValue} stands for; a fresh copy at each call. */
export function parseValue<T>(text: string): T {
  return JSON.parse(text) as T;
}

function stringify(key: string, value: unknown, check: JsonCheck): string {
  try {
    return JSON.stringify(value, function (this: object, property: string, held: unknown) {
      return check.visit(this, property, held);
    });
  } catch (error) {
    // The engine's own limits: nesting deeper than its stack, or a text longer than its longest string.
    if (!(error instanceof RangeError)) throw error;
    throw new DataValueException(
      `The data value for the key ${describeValue(key)} cannot be written as JSON (${error.message}); ` +
        'expected less nesting',
      'value',
      { cause: error },
    );
  }
}

function tooLarge(key: string, size: string): DataValueException {
  return new DataValueException(
    `The data value for the key ${describeValue(key)} is ${size} of JSON; expected at most ${MAX_VALUE_BYTES}`,
    'value',
  );
}

/** Looks at each part of a value while `JSON.stringify` goes through it, so that what is checked is what is written. */
class JsonCheck {
  readonly #open: object[] = [];
  readonly #steps: string[] = [];
  #leastBytes = 0;

  constructor(private readonly key: string) {}

  visit(holder: object, property: string, held: unknown): unknown {
    // JSON.stringify goes depth first: whatever was opened after `holder` is finished.
    while (this.#open.length > 0 && this.#open.at(-1) !== holder) {
      this.#open.pop();
      this.#steps.pop();
    }
    const step = this.#open.length === 0 ? 'value' : stepTo(holder, property);
    const part = types.isBoxedPrimitive(held) ? held.valueOf() : held;
    const expected = this.#refusal(holder, property, part);
    if (expected !== undefined) throw this.#error(step, shown(holder, property, part), expected);
    this.#countBytes(part);
    if (typeof part === 'object' && part !== null) {
      this.#open.push(part);
      this.#steps.push(step);
    }
    return part;
  }

  /** What was expected in place of `part`, or undefined where it is fine. */
  #refusal(holder: object, property: string, part: unknown): string | undefined {
    switch (typeof part) {
      case 'string':
      case 'boolean':
        return undefined;
      case 'number':
        return Number.isFinite(part) ? undefined : 'a finite number';
      case 'undefined':
        return this.#open.length > 0 && !Array.isArray(holder)
          ? 'a JSON value (leave the property out, or use null)'
          : 'a JSON value, such as null';
      case 'object':
        if (part === null) return isInvalidDate(holder, property) ? 'a valid date' : undefined;
        if (this.#open.includes(part)) return 'a value without cycles';
        return isEmptiedByJson(part) ? 'a plain object or an array' : undefined;
      default:
        return 'a JSON value';
    }
  }

  /** Stops early, since a huge value would block the process long before its whole text could be measured. */
  #countBytes(part: unknown): void {
    this.#leastBytes += typeof part === 'string' ? part.length : 1;
    if (this.#leastBytes > MAX_VALUE_BYTES) throw tooLarge(this.key, `more than ${MAX_VALUE_BYTES} bytes`);
  }

  #error(step: string, found: string, expected: string): DataValueException {
    const path = [...this.#steps, step].join('');
    return new DataValueException(
      `The data value for the key ${describeValue(this.key)} cannot be stored: ${path} is ${found}; expected ${expected}`,
      path,
    );
  }
}

function stepTo(holder: object, property: string): string {
  if (Array.isArray(holder)) return `[${property}]`;
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(property) ? `.${property}` : `[${JSON.stringify(property)}]`;
}

function shown(holder: object, property: string, part: unknown): string {
  return part === null && isInvalidDate(holder, property) ? 'an invalid Date' : describeValue(part);
}

/** A date that is none turns into null by its own `toJSON`. */
function isInvalidDate(holder: object, property: string): boolean {
  const original: unknown = Reflect.get(holder, property);
  return types.isDate(original) && Number.isNaN(original.getTime());
}

const BODIES = new Set([
  'Blob',
  'File',
  'FormData',
  'Headers',
  'ReadableStream',
  'Request',
  'Response',
  'URLSearchParams',
]);

function isBodyOrStream(part: object): boolean {
  if (Array.isArray(part) || Object.getPrototypeOf(part) === Object.prototype) return false;
  const { [Symbol.toStringTag]: tag, pipe } = part as { [Symbol.toStringTag]?: unknown; pipe?: unknown };
  return typeof pipe === 'function' || BODIES.has(tag as string);
}

/** Built-in objects whose content lies where JSON does not look. */
function isEmptiedByJson(part: object): boolean {
  return (
    types.isMap(part) ||
    types.isSet(part) ||
    types.isWeakMap(part) ||
    types.isWeakSet(part) ||
    types.isPromise(part) ||
    types.isRegExp(part) ||
    types.isNativeError(part) ||
    types.isAnyArrayBuffer(part) ||
    ArrayBuffer.isView(part) ||
    isBodyOrStream(part)
  );
}
