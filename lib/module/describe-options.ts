import type { Options } from './policy-parsers.js';

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
