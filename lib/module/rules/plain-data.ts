import type { RuleFault } from '../../errors/rule-set.error.js';
import { show } from '../../policies/options/check.js';

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
    const prototype: unknown = Object.getPrototypeOf(value);
    if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null)
      return fault(`expected plain data, got ${show(value)}`);
    const faults: RuleFault[] = [];
    for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
      if (this.#values > MAX_VALUES) break;
      if (inner === undefined && !Array.isArray(value)) continue;
      faults.push(...this.faultsOf(join(path, key), inner, [...above, value]));
    }
    return faults;
  }
}

export function join(path: string, key: string): string {
  const step = key === '' ? "''" : key;
  return path === ROOT ? step : `${path}.${step}`;
}

/** The path of a whole document. */
export const ROOT = 'document';
