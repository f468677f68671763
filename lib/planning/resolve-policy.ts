import { oneOfThese } from '../errors/near-miss.js';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import type { Options } from '../kernel/options/options.js';
import { isStateful, kindOf, type SetKey } from '../policies/kinds.js';
import { isNumberAsText, numberAsText, type PolicySets } from './policy-sets.js';
import type { Definition, NamedDefinitions, Request, ResolvedPolicy } from './resolution.js';
import type { RuleLayer } from './rule-layer.js';
import { sameOptions } from './same-options.js';

const BY_RULE = 'rule';

/** Finds the options in force of one policy that somebody asks for. */
export class PolicyResolver {
  constructor(
    private readonly sets: PolicySets,
    private readonly definitions: NamedDefinitions,
    private readonly lenient: boolean,
    private readonly rules: RuleLayer,
  ) {}

  /**
   * @returns undefined where it is off.
   * @throws ResilienceConfigurationError
   */
  resolve(place: string, { key, name, own, label, fromPolicies, rule }: Request): ResolvedPolicy | undefined {
    const kind = kindOf(key);
    const ofName = name === undefined ? undefined : this.rules.ofName(name).get(key);
    if (ofName !== undefined) this.rules.reach(ofName);
    const lastRule = rule ?? ofName;
    const ruledOff = lastRule?.options === false;
    // What a rule only has a word on stays where it is, disabled: an operator may still speak otherwise.
    if (ruledOff && kind.ruling === undefined) return undefined;
    if (own === false && (lastRule === undefined || ruledOff)) return undefined;
    const byDefault = this.sets.get('default')?.entries.get(key);
    const bySet = name === undefined ? undefined : this.sets.get(name)?.entries.get(key);
    const byName = name === undefined ? undefined : this.#definitionOf(key, name, bySet !== undefined);
    if (name !== undefined && !fromPolicies && own !== false)
      this.#checkName(place, { key, name, own, label }, bySet !== undefined, byName);
    const offByName = bySet === false || (bySet === undefined && byName === undefined && byDefault === false);
    if (own === undefined && offByName && (lastRule === undefined || ruledOff)) return undefined;
    const layers: Layer[] = [
      ['built-in', kind.defaults],
      ['policies.default', optionsIn(byDefault)],
      [`policies.${name}`, optionsIn(bySet)],
      [byName?.place ?? '', byName?.options],
      [label, optionsOf(own)],
      [BY_RULE, optionsOf(ofName?.options)],
      [BY_RULE, optionsOf(rule?.options)],
    ];
    const { options, declared, sources } = merged(layers, kind.alternatives ?? []);
    const ruling = kind.ruling?.(name, ofName, rule, declared.enabled !== false);
    if (ruledOff) [options.enabled, sources.enabled] = [false, BY_RULE];
    return { key, label: lastRule?.path ?? label, name, options, sources, ruling };
  }

  /**
   * What decorators say of a name. Where `policies` defines the name, their own options are theirs alone; only what keeps
   * state can be shared by a name and still have its options on a decorator, if `policies` does not give them.
   */
  #definitionOf(key: SetKey, name: string, inPolicies: boolean): Definition | undefined {
    if (inPolicies || (this.sets.get(name) !== undefined && !isStateful(key))) return undefined;
    return this.definitions.find(key, name);
  }

  #checkName(place: string, asked: Asked, inPolicies: boolean, byName: Definition | undefined): void {
    const { key, name, own } = asked;
    if (own !== undefined && inPolicies && isStateful(key)) {
      throw new ResilienceConfigurationError(
        place,
        `'${name}' has its options in policies.${name}.${key}, and a shared instance can have one set of options only: expected none here`,
      );
    }
    if (own !== undefined && byName !== undefined && !sameOptions(own, byName.options)) {
      throw new ResilienceConfigurationError(
        place,
        `'${name}' has another definition at ${byName.place}; expected the same options (a function is the same only if it is the very same one), or the name alone`,
      );
    }
    if (own !== undefined || inPolicies || byName !== undefined || this.lenient) return;
    if (this.sets.get(name) !== undefined) return;
    throw new ResilienceConfigurationError(place, unknownName(asked, this.sets.names()));
  }
}

interface Asked {
  readonly key: SetKey;
  readonly name: string;
  readonly own: Options | undefined;
  readonly label: string;
}

function unknownName({ key, name, label }: Asked, known: readonly string[]): string {
  if (isNumberAsText(key, name)) return numberAsText(name);
  const kind = kindOf(key);
  const options = kind.isEmpty?.(kind.defaults) === true ? '{ ... }' : '{}';
  const example = isStateful(key) ? `, as ${label}('${name}', ${options})` : '';
  const defined = known.length === 0 ? 'expected it' : `${oneOfThese(name, known)}; or`;
  return `unknown name '${name}'; ${defined} to be defined in policies, or by another decorator with options${example}`;
}

type Layer = [source: string, options: Options | undefined];

/**
 * What all layers say together, the later ones above the earlier.
 *
 * @param alternatives options that answer the same question: the later one counts.
 * @returns the options, those that no rule says, and whence each comes.
 */
function merged(
  layers: readonly Layer[],
  alternatives: readonly string[],
): Record<'options' | 'declared', Record<string, unknown>> & { sources: Record<string, string> } {
  const options: Record<string, unknown> = {};
  const declared: Record<string, unknown> = {};
  const sources: Record<string, string> = {};
  for (const [source, layer = {}] of layers) {
    for (const chosen of alternatives.filter((one) => layer[one] !== undefined))
      for (const other of alternatives) if (other !== chosen) delete options[other];
    for (const [option, value] of Object.entries(layer)) {
      if (value === undefined) continue;
      if (source !== BY_RULE) declared[option] = value;
      options[option] = value;
      sources[option] = source;
    }
  }
  return { options, declared, sources };
}

function optionsOf(own: Options | false | undefined): Options | undefined {
  return own === false ? undefined : own;
}

function optionsIn(entry: { options: Options } | false | undefined): Options | undefined {
  return entry === false ? undefined : entry?.options;
}
