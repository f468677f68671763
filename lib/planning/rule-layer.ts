import type { ControlWord } from '../policies/circuit-breaker/control.js';
import type { SetKey } from '../policies/policy-set.js';
import type { Options } from './policy-parsers.js';

/** What a rule says of one policy. */
export interface Rule {
  /** Where it stands in its document. */
  readonly path: string;
  /** `false`: off. */
  readonly options: Options | false;
}

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

/** What rules say of whether a breaker judges at all: no option of it, but a word in the order of control. */
export interface Ruling {
  /** Of the instance, for all who share it. */
  readonly word: ControlWord | undefined;
  /** This one method is to pass it by, although others share it. */
  readonly passesBy: boolean;
  /** What code and configuration say of `enabled`. */
  readonly enabled: boolean;
}

/** @param enabled what code and configuration say of `enabled`. */
export function rulingOf(
  name: string | undefined,
  ofName: Rule | undefined,
  ofMethod: Rule | undefined,
  enabled: boolean,
): Ruling {
  const passesBy = name !== undefined && ofMethod?.options === false;
  return { word: wordOf(name === undefined ? ofMethod : ofName), passesBy, enabled };
}

function wordOf(rule: Rule | undefined): ControlWord | undefined {
  if (rule === undefined) return undefined;
  const { path, options } = rule;
  const enabled = options === false ? false : options.enabled;
  if (enabled === undefined) return undefined;
  return enabled === false
    ? { state: 'disabled', reason: `disabled by the rule ${path}` }
    : { state: 'normal', reason: `enabled by the rule ${path}` };
}
