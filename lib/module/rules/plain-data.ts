import type { RuleFault } from '../../errors/rule-set.error.js';
import { show } from '../../policies/options/check.js';

const MAX_DEPTH = 20;

/** What in `value` JSON could not hold; options that are `undefined` are let pass, since they are as good as absent. */
export function faultsOfData(path: string, value: unknown, above: readonly unknown[] = []): RuleFault[] {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return [];
  const fault = (message: string): RuleFault[] => [{ path, message, value }];
  if (typeof value !== 'object') return fault(`expected plain data, got ${show(value)}`);
  if (above.includes(value)) return fault('expected plain data, got a value that contains itself');
  if (above.length >= MAX_DEPTH) return fault(`expected at most ${MAX_DEPTH} levels`);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null)
    return fault(`expected plain data, got ${show(value)}`);
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    inner === undefined && !Array.isArray(value) ? [] : faultsOfData(join(path, key), inner, [...above, value]),
  );
}

export function join(path: string, key: string): string {
  const step = key === '' ? "''" : key;
  return path === ROOT ? step : `${path}.${step}`;
}

/** The path of a whole document. */
export const ROOT = 'document';
