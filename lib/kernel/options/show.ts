import { inspect, types } from 'node:util';
import { propertyOf } from '../../errors/foreign.js';
import { maskCredentials, maskProperty } from '../../errors/mask-credentials.js';
import { answersLater } from '../answers-later.js';

/**
 * An object that can hold options: a literal, one without a prototype, or an instance of a class of settings. What the
 * language itself has made for something else has no options in it, and would be taken for an empty set of them.
 */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBuiltIn(value);
}

const BUILT_IN: readonly ((value: object) => boolean)[] = [
  types.isMap,
  types.isSet,
  types.isDate,
  types.isRegExp,
  types.isPromise,
  types.isNativeError,
  types.isBoxedPrimitive,
  types.isAnyArrayBuffer,
  (value) => ArrayBuffer.isView(value),
  types.isWeakMap,
  types.isWeakSet,
  types.isGeneratorObject,
  types.isMapIterator,
  types.isSetIterator,
];

function isBuiltIn(value: object): boolean {
  return BUILT_IN.some((is) => is(value));
}

/** A value is shown with at most so many characters. */
const MAX_SHOWN = 80;

/** A value as an error message shows it, without credentials. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${shortened(maskCredentials(value))}'`;
  if (typeof value === 'bigint') return `${shortened(String(value))}n`;
  if (typeof value === 'function') return shortened(showFunction(value));
  if (typeof value === 'object' && value !== null) return shortened(showObject(value));
  return shortened(String(value));
}

function shortened(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 3)}...` : text;
}

function showFunction(value: object): string {
  const name = propertyOf(value, 'name');
  const what = answersLater(value) ? 'async function' : 'function';
  return typeof name !== 'string' || name === '' ? `${what === 'function' ? 'a' : 'an'} ${what}` : `${what} ${name}`;
}

function showObject(value: object): string {
  try {
    if (isBuiltIn(value))
      return maskCredentials(inspect(value, { depth: 0, breakLength: Infinity })).slice(0, MAX_SHOWN + 1);
    // What says that it has no text is none either.
    return JSON.stringify(value, maskProperty).slice(0, MAX_SHOWN + 1);
  } catch {
    // A cycle, or a value that cannot be looked at.
    const tag = propertyOf(value, Symbol.toStringTag);
    return typeof tag === 'string' ? `[object ${tag}]` : '[object Object]';
  }
}
