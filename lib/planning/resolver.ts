import { Mistakes, ResilienceConfigurationError } from '../errors/configuration.error.js';
import type { Declaration, Declared, SetDeclaration } from '../guarded/guarded-method.js';
import { POLICY_KEYS, STATEFUL, type Returns, type SetKey } from '../policies/policy-set.js';
import { sameOptions } from './same-options.js';
import { KINDS, type Options } from './policy-parsers.js';
import { checkSet, type CheckedSet, type PolicySets } from './policy-sets.js';
import { rulingOf, type Rule, type RuleLayer, type Ruling } from './rule-layer.js';

/** One policy of a method with the options in force. */
export interface ResolvedPolicy {
  readonly key: SetKey;
  /** Who asked for it, as errors name it: `@Timeout`. */
  readonly label: string;
  /** The instance, if it was given a name. */
  readonly name: string | undefined;
  readonly options: Options;
  /** For each option where it came from. */
  readonly sources: Readonly<Record<string, string>>;
  /** Of a breaker: what rules say of whether it judges at all. */
  readonly ruling?: Ruling | undefined;
}

export interface Resolution {
  readonly policies: ReadonlyMap<SetKey, ResolvedPolicy>;
  /** Policies that were turned off here, whatever others say. */
  readonly off: ReadonlySet<SetKey>;
  readonly returns: Returns | undefined;
  /** `@Resilient(false)`: nothing guards it, interceptors included. */
  readonly exempt: boolean;
}

/** Somebody asks for a policy: a decorator, or a key of a set. */
interface Request {
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

/** Options that decorators declared under a name, so that others may use the name alone. */
export interface NamedDefinitions {
  find(key: SetKey, name: string): { place: string; options: Options } | undefined;
  names(): string[];
}

/**
 * Turns what decorators and sets said into the policies of one method. The precedence is built-in defaults, then
 * `policies.default`, then the named set, then the decorator's own options, then rules; a method's own policy replaces that of its
 * set and of its class.
 */
export class Resolver {
  constructor(
    private readonly sets: PolicySets,
    private readonly definitions: NamedDefinitions,
    /** Without the module a name means the decorator's own options, and a policy without a value is skipped. */
    private readonly lenient: boolean,
    private readonly rules: RuleLayer,
  ) {}

  /**
   * @param place the class and method, as errors name it.
   * @param layers what was declared, outermost (the class) first.
   * @param extensible whether rules may add policies to those that were declared.
   * @throws ResilienceConfigurationError
   */
  resolve(place: string, layers: readonly Declared[], extensible = true): Resolution {
    const requests = new Map<SetKey, Request>();
    let returns: Returns | undefined;
    let exempt = false;
    let fromSet = new Set<SetKey>();
    const mistakes = new Mistakes();
    for (const { policies, resilient, faults } of layers) {
      for (const fault of faults) mistakes.add(new ResilienceConfigurationError(place, fault));
      if (resilient !== undefined) {
        // A set of the method takes the place of the set of its class, key for key and as a whole.
        for (const key of fromSet) requests.delete(key);
        fromSet = new Set();
        exempt = resilient.set === false;
        if (exempt) requests.clear();
        else returns = mistakes.in(() => this.#addSet(place, resilient, requests, fromSet)) ?? returns;
      }
      for (const declaration of policies) {
        fromSet.delete(declaration.key);
        const request = mistakes.in(() => this.#requestOf(place, declaration));
        if (request !== undefined) requests.set(declaration.key, request);
      }
    }
    if (exempt && !mistakes.any) return { policies: new Map(), off: new Set(POLICY_KEYS), returns, exempt };
    for (const [key, rule] of this.rules.ofMethod(place)) {
      const declared = requests.get(key);
      if (declared === undefined && !extensible) continue;
      this.rules.reach(rule);
      mistakes.in(() => requests.set(key, ruled(key, rule, declared)));
    }
    const off = new Set<SetKey>();
    const resolved = new Map<SetKey, ResolvedPolicy>();
    for (const request of requests.values()) {
      mistakes.in(() => {
        const policy = this.#resolveOne(`${place}, ${request.label}`, request);
        if (policy === undefined) off.add(request.key);
        else resolved.set(request.key, policy);
      });
    }
    mistakes.throwAny(place);
    return { policies: resolved, off, returns, exempt };
  }

  #addSet(
    place: string,
    { label, set }: SetDeclaration,
    requests: Map<SetKey, Request>,
    added: Set<SetKey>,
  ): Returns | undefined {
    const named = typeof set === 'string';
    const checked = named ? this.#namedSet(`${place}, ${label}`, set) : checkSet(`${place}, ${label}`, set);
    if (checked === undefined) return undefined;
    const isDefault = named && set === 'default';
    const setName = named ? (isDefault ? undefined : set) : checked.name;
    for (const [key, entry] of checked.entries) {
      const name = (entry === false ? undefined : entry.name) ?? setName;
      // Options of a named set, and of an instance that a set only names, are looked up by that name.
      const own = entry === false ? false : named || entry.name !== undefined ? undefined : entry.options;
      requests.set(key, {
        key,
        label: named ? `policies.${set}` : label,
        name,
        own,
        fromPolicies: named && name === set,
      });
      added.add(key);
    }
    for (const [key, { path, options }] of setName === undefined ? [] : this.rules.ofName(setName)) {
      if (checked.entries.has(key)) continue;
      const own = options === false ? false : undefined;
      requests.set(key, { key, label: path, name: setName, own, fromPolicies: true });
      added.add(key);
    }
    return checked.returns;
  }

  #namedSet(place: string, name: string): CheckedSet | undefined {
    const set = this.sets.get(name);
    if (set !== undefined || this.lenient) return set;
    if (name === 'default')
      throw new ResilienceConfigurationError(
        place,
        'uses policies.default, which is not defined; expected forRoot({ policies: { default: ... } })',
      );
    throw new ResilienceConfigurationError(
      place,
      `unknown policy set '${name}'; expected one of: ${this.sets.names().join(', ') || 'none is defined'}`,
    );
  }

  #requestOf(place: string, { key, label, name, setting }: Declaration): Request {
    const own = setting === undefined || setting === false ? setting : KINDS[key].parse(`${place}, ${label}`, setting);
    return { key, label, name, own, fromPolicies: false };
  }

  #resolveOne(place: string, { key, name, own, label, fromPolicies, rule }: Request): ResolvedPolicy | undefined {
    const ofName = name === undefined ? undefined : this.rules.ofName(name).get(key);
    if (ofName !== undefined) this.rules.reach(ofName);
    const lastRule = rule ?? ofName;
    const ruledOff = lastRule?.options === false;
    // A breaker that a rule turns off stays where it is, disabled: an operator may still force it open.
    if (ruledOff && key !== 'circuitBreaker') return undefined;
    if (own === false && (lastRule === undefined || ruledOff)) return undefined;
    const byDefault = this.sets.get('default')?.entries.get(key);
    const bySet = name === undefined ? undefined : this.sets.get(name)?.entries.get(key);
    const byName = name === undefined ? undefined : this.#definitionOf(key, name, bySet !== undefined);
    if (name !== undefined && !fromPolicies && own !== false)
      this.#checkName(place, key, name, own, bySet !== undefined, byName);
    const offByName = bySet === false || (bySet === undefined && byName === undefined && byDefault === false);
    if (own === undefined && offByName && (lastRule === undefined || ruledOff)) return undefined;
    const layers: [source: string, options: Options | undefined][] = [
      ['built-in', KINDS[key].defaults],
      ['policies.default', optionsIn(byDefault)],
      [`policies.${name}`, optionsIn(bySet)],
      [byName?.place ?? '', byName?.options],
      [label, optionsOf(own)],
      ['rule', optionsOf(ofName?.options)],
      ['rule', optionsOf(rule?.options)],
    ];
    const options: Record<string, unknown> = {};
    const declared: Record<string, unknown> = {};
    const sources: Record<string, string> = {};
    for (const [source, layer] of layers) {
      // A value and a handler are two answers to the same question: the later one counts.
      if (key === 'recover' && layer?.value !== undefined) delete options.use;
      if (key === 'recover' && layer?.use !== undefined) delete options.value;
      for (const [option, value] of Object.entries(layer ?? {})) {
        if (value === undefined) continue;
        if (source !== 'rule') declared[option] = value;
        options[option] = value;
        sources[option] = source;
      }
    }
    const ruling = key === 'circuitBreaker' ? rulingOf(name, ofName, rule, declared.enabled !== false) : undefined;
    if (ruledOff) [options.enabled, sources.enabled] = [false, 'rule'];
    return { key, label: lastRule?.path ?? label, name, options, sources, ruling };
  }

  /**
   * What decorators say of a name. Where `policies` defines the name, their own options are theirs alone; only what keeps
   * state can be shared by a name and still have its options on a decorator, if `policies` does not give them.
   */
  #definitionOf(key: SetKey, name: string, inPolicies: boolean): ReturnType<NamedDefinitions['find']> {
    if (inPolicies || (this.sets.get(name) !== undefined && !STATEFUL.has(key))) return undefined;
    return this.definitions.find(key, name);
  }

  #checkName(
    place: string,
    key: SetKey,
    name: string,
    own: Options | undefined,
    inPolicies: boolean,
    byName: { place: string; options: Options } | undefined,
  ): void {
    if (own !== undefined && inPolicies && STATEFUL.has(key)) {
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
    const known = this.sets.names().join(', ');
    throw new ResilienceConfigurationError(
      place,
      `unknown name '${name}'; expected ${known === '' ? 'it' : `one of: ${known}; or`} to be defined in policies, or by another decorator with options`,
    );
  }
}

/** What becomes of a declared policy, or of one that was not declared, by a rule for its method. */
function ruled(key: SetKey, rule: Rule, declared: Request | undefined): Request {
  const { path } = rule;
  if (declared === undefined || declared.own === false) {
    const own = rule.options === false ? false : undefined;
    return { key, label: path, name: undefined, own, fromPolicies: false, rule };
  }
  if (declared.name !== undefined && rule.options !== false && STATEFUL.has(key)) {
    throw new ResilienceConfigurationError(
      path,
      `the ${key} goes by the name '${declared.name}', under which others share it; expected the rule at policies.${declared.name}.${key}`,
    );
  }
  return { ...declared, rule };
}

function optionsOf(own: Options | false | undefined): Options | undefined {
  return own === false ? undefined : own;
}

function optionsIn(entry: { options: Options } | false | undefined): Options | undefined {
  return entry === false ? undefined : entry?.options;
}
