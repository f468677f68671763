import { types } from 'node:util';
import { isList } from '../errors/foreign.js';
import type { RuleFault } from '../errors/rule-set.error.js';
import { show } from '../kernel/options/check.js';

const MAX_DEPTH = 20;

/** The most values of a document: where one stands in many places, as aliases make it, each place counts. */
const MAX_VALUES = 100_000;

/** What in `value` JSON could not hold; options that are `undefined` are let pass, since they are as good as absent. */
export function faultsOfData(path: string, value: unknown): RuleFault[] {
  return new Walk().faultsOf(path, value, []);
}

class Walk {
  #values = 0;

  faultsOf(path: string, value: unknown, above: readonly unknown[]): RuleFault[] {
    const fault = (message: string): RuleFault[] => [{ path, message, value }];
    if (++this.#values > MAX_VALUES)
      return this.#values === MAX_VALUES + 1 ? fault(`expected at most ${MAX_VALUES} values in all`) : [];
    if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
      return [];
    if (typeof value !== 'object') return fault(`expected plain data, got ${show(value)}`);
    if (above.includes(value)) return fault('expected plain data, got a value that contains itself');
    if (above.length >= MAX_DEPTH) return fault(`expected at most ${MAX_DEPTH} levels`);
    const entries = plainEntriesOf(value);
    if (entries === undefined) return fault(`expected plain data, got ${show(value)}`);
    const faults: RuleFault[] = [];
    for (const [key, inner] of entries) {
      if (this.#values > MAX_VALUES) break;
      if (inner === undefined && !isList(value)) continue;
      faults.push(...this.faultsOf(join(path, key), inner, [...above, value]));
    }
    return faults;
  }
}

/** What plain data holds; undefined for anything else. A getter is code, and may give something else each time. */
function plainEntriesOf(value: object): [string, unknown][] | undefined {
  // Nobody knows what a proxy says next.
  if (types.isProxy(value)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!isList(value) && prototype !== Object.prototype && prototype !== null) return undefined;
  const properties = Object.entries(Object.getOwnPropertyDescriptors(value)).filter(([, { enumerable }]) => enumerable);
  if (properties.some(([, property]) => !('value' in property))) return undefined;
  return properties.map(([key, { value: inner }]) => [key, inner as unknown]);
}

export function join(path: string, key: string): string {
  const step = key === '' ? "''" : key;
  return path === ROOT ? step : `${path}.${step}`;
}

/** The path of a whole document. */
export const ROOT = 'document';
