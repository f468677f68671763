import type { BulkheadGuard } from '../policies/bulkhead/bulkhead.guard.js';

/**
 * One bulkhead, to look at.
 *
 * @publicApi
 */
export class BulkheadHandle {
  readonly #bulkhead: BulkheadGuard;

  constructor(bulkhead: BulkheadGuard) {
    this.#bulkhead = bulkhead;
  }

  /** The name it was given, or `Class.method`. */
  get name(): string {
    return this.#bulkhead.name;
  }

  /** How many may run at once now; with `adaptive()` it moves, and is lower for the moment of a probe. */
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
}
