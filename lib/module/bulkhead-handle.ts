import { showByJson } from './show-by-json.js';
import type { Bulkheads } from '../policies/bulkhead/bulkheads.js';

/**
 * One bulkhead, to look at.
 *
 * @publicApi
 */
export class BulkheadHandle {
  static {
    showByJson(this);
  }

  readonly #bulkhead: Bulkheads;

  constructor(bulkhead: Bulkheads) {
    this.#bulkhead = bulkhead;
  }

  /** The name it was given, or `Class.method`. */
  get name(): string {
    return this.#bulkhead.name;
  }

  /** How many may run at once now, with `key` of each key; with `adaptive()` it moves, and is lower for the moment of a probe. */
  get limit(): number {
    return this.#bulkhead.limit;
  }

  /** How many run. */
  get active(): number {
    return this.#bulkhead.active;
  }

  /** How many wait for a slot. */
  get waiting(): number {
    return this.#bulkhead.waiting;
  }

  /** How many keys have slots of their own; undefined: it has no `key`. */
  get keys(): number | undefined {
    return this.#bulkhead.keys;
  }

  /** What it shows, as plain data. */
  toJSON(): Pick<BulkheadHandle, 'name' | 'limit' | 'active' | 'waiting' | 'keys'> {
    const { name, limit, active, waiting, keys } = this;
    return { name, limit, active, waiting, keys };
  }
}
