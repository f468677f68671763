import type { Returns } from '../kernel/method-kind.js';
import type { Options } from '../kernel/options/options.js';
import type { Resolved } from '../kernel/policy-kind.js';
import type { Rule } from '../kernel/ruling.js';
import type { SetKey } from '../policies/kinds.js';

/** One policy of a method with the options in force. */
export interface ResolvedPolicy extends Resolved {
  readonly key: SetKey;
}

/** The policies of one method, with the options in force. */
export interface Resolution {
  readonly policies: ReadonlyMap<SetKey, ResolvedPolicy>;
  /** Policies that were turned off here, whatever others say. */
  readonly off: ReadonlySet<SetKey>;
  readonly returns: Returns | undefined;
  /** `@Resilient(false)`: nothing guards it, interceptors included. */
  readonly exempt: boolean;
}

/** Somebody asks for a policy: a decorator, or a key of a set. */
export interface Request {
  readonly key: SetKey;
  readonly label: string;
  readonly name: string | undefined;
  /** Its own options; undefined: none; false: off. */
  readonly own: Options | undefined | false;
  /** Whether its options stand in `policies`. */
  readonly fromPolicies: boolean;
  /** What a rule says of this policy of this method. */
  readonly rule?: Rule;
}

/** What a decorator said of a name, and where. */
export interface Definition {
  readonly place: string;
  readonly options: Options;
}

/** Options that decorators declared under a name, so that others may use the name alone. */
export interface NamedDefinitions {
  find(key: SetKey, name: string): Definition | undefined;
  names(): string[];
}

export const NO_DEFINITIONS: NamedDefinitions = { find: () => undefined, names: () => [] };
