import { prototypeOf } from '../errors/foreign.js';
import type { Options } from '../kernel/options/options.js';

/** Options as people read and compare them, in a copy: strategies and backoffs by what they were made from. */
export function describeOptions(options: Options): Options {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, describe(value)]));
}

function describe(value: unknown): unknown {
  try {
    if (Array.isArray(value)) return value.map(describe);
    if (!isLiteral(value)) return value;
    const { kind, options, name, shouldTrip } = value;
    if (typeof kind === 'string' && isLiteral(options)) return { kind, ...options };
    return typeof shouldTrip === 'function' ? name : describeOptions(value);
  } catch {
    // What a fallback answers with may not let itself be looked at.
    return value;
  }
}

/** An instance of a class may be what a fallback answers with: it is shown as it is. */
function isLiteral(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = prototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
