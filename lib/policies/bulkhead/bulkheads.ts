import type { Guard } from '../../kernel/guard.js';
import type { Stateful } from '../../kernel/state-kind.js';
import type { ResolvedBulkhead } from './bulkhead.options.js';

/** The bulkhead of a name, or those of its keys together. */
export interface Bulkheads extends Guard, Stateful {
  readonly name: string;
  readonly options: ResolvedBulkhead;
  /** How many calls hold a slot. */
  readonly active: number;
  /** How many calls wait for a slot. */
  readonly waiting: number;
  /** How many may run at once now; with keys: of each key. */
  readonly limit: number;
  /** How much work goes on without a slot, long after its caller has gone. */
  readonly abandonedNow: number;
  /** How many keys have slots of their own; undefined: it has no keys. */
  readonly keys: number | undefined;
  reconfigure(options: ResolvedBulkhead): void;
}
