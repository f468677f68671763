import { isDeepStrictEqual } from 'node:util';
import type { Options } from './policy-parsers.js';

/**
 * Whether two definitions of one name say the same. Functions that were written alike are alike: each class that
 * shares a name makes its own.
 */
export function sameOptions(one: Options, other: Options): boolean {
  return isDeepStrictEqual(comparable(describeOptions(one)), comparable(describeOptions(other)));
}

function comparable(options: Options): Options {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, typeof value === 'function' ? String(value) : value]),
  );
}

/** Options as people read and compare them: strategies and backoffs by what they were made from. */
export function describeOptions(options: Options): Options {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, describe(value)]));
}

function describe(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { kind, options, name, shouldTrip } = value as {
    kind?: unknown;
    options?: object;
    name?: unknown;
    shouldTrip?: unknown;
  };
  if (typeof kind === 'string' && options !== undefined) return { kind, ...options };
  return typeof shouldTrip === 'function' ? name : value;
}
