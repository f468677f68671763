import type { Rule } from '../kernel/ruling.js';
import type { SetKey } from '../policies/kinds.js';

/** What rules say at run time, above everything that was declared. */
export interface RuleLayer {
  /** Of the set, or of the shared policies, of a name. */
  ofName(name: string): ReadonlyMap<SetKey, Rule>;
  /** Of one method: `Class.method`. */
  ofMethod(place: string): ReadonlyMap<SetKey, Rule>;
  /** Notes that a rule has an effect. */
  reach(rule: Rule): void;
}

const NOTHING: ReadonlyMap<SetKey, Rule> = new Map();

export const NO_RULES: RuleLayer = {
  ofName: () => NOTHING,
  ofMethod: () => NOTHING,
  reach: () => undefined,
};
